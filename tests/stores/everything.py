"""All pages of a store at once."""


async def owned_by(store, owner):
    """The owner's live records, by key."""
    page = await store.owned(owner)
    records = dict(page.records)
    while page.after is not None:
        page = await store.owned(owner, after=page.after)
        records |= page.records
    return records
