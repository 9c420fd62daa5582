"""What a customer does in the example shop."""

from playwright.sync_api import Page

from example_app.accounts import DEMO_EMAIL, DEMO_PASSWORD


def sign_in(page: Page, site: str, *, remember: bool = False) -> None:
    """Sign in with the form, and wait for the account's page."""
    page.goto(f"{site}/sign-in")
    page.get_by_label("E-mail address").fill(DEMO_EMAIL)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_label("Remember me").set_checked(remember)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/account")


def sign_out(page: Page) -> None:
    """Sign out with the button in the page's head."""
    page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/signed-out")


def put_into_cart(page: Page, site: str, product: str, quantity: int = 1) -> None:
    """Find a product on the first page, and put so many of it into the cart."""
    page.goto(site)
    page.get_by_role("main").get_by_role("link", name=product).click()
    page.get_by_label("Quantity").fill(str(quantity))
    page.get_by_role("button", name="Put into the cart").click()
    page.wait_for_url("**/cart")


def cart(page: Page) -> dict[str, int]:
    """What the cart's page shows: names and quantities."""
    rows = page.locator("ul.cart > li").all()
    return {row.get_by_role("heading").inner_text(): int(row.get_by_label("Quantity").input_value()) for row in rows}


def learn_of_the_session(page: Page) -> None:
    """Wait until the page knows that there is a session, and with it that it can end."""
    page.evaluate(
        """() => new Promise(resolve => {
            addEventListener("fastsession:active", () => resolve(null), { once: true });
            dispatchEvent(new Event("fastsession:check"));
        })"""
    )


def look_again(page: Page) -> None:
    """Have the page ask how long its session lasts, as it does when somebody looks at it again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")
