"""Where a `__Host-` cookie is kept, and who can see it."""

import pytest

from tests.browser.fetching import fetch, jar
from tests.shop import COOKIE, shop

PLACES = [("https", "a.test"), ("https", "www.a.test"), ("http", "localhost"), ("http", "127.0.0.1")]


@pytest.mark.parametrize(("scheme", "host"), PLACES)
def test_the_cookie_is_kept_over_https_and_on_this_machine(serve, page, context, scheme, host):
    page.goto(serve(shop(), host, tls=scheme == "https") + "/public")
    fetch(page, "/cart/tea", "POST")
    assert fetch(page, "/cart/milk", "POST") == ["tea", "milk"]
    [cookie] = context.cookies()
    assert (cookie["name"], cookie["domain"], cookie["path"]) == (COOKIE, host, "/")
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")


def test_over_plain_http_elsewhere_the_cookie_is_dropped_and_the_log_says_so(serve, page, context, caplog):
    page.goto(serve(shop(), tls=False) + "/public")
    fetch(page, "/cart/tea", "POST")
    assert fetch(page, "/cart/milk", "POST") == ["milk"]
    assert context.cookies() == []
    [warning] = [record for record in caplog.records if record.name == "fastsession" and not hasattr(record, "kind")]
    assert warning.getMessage().startswith("A Secure session cookie was sent over plain http")


def test_without_https_only_the_bare_cookie_is_kept_over_plain_http(serve, page, context):
    page.goto(serve(shop(https_only=False), tls=False) + "/public")
    fetch(page, "/cart/tea", "POST")
    assert fetch(page, "/cart") == ["tea"]
    assert list(jar(context)) == ["app_session"]


def test_scripts_neither_see_nor_replace_the_cookie(serve, page):
    page.goto(serve(shop()) + "/public")
    fetch(page, "/cart/tea", "POST")
    assert page.evaluate("document.cookie") == ""
    page.evaluate("name => { document.cookie = `${name}=theirs; path=/; Secure` }", COOKIE)
    page.evaluate("name => { document.cookie = `${name}=; path=/; Secure; Max-Age=0` }", COOKIE)
    assert page.evaluate("cookieStore.getAll()") == []
    assert fetch(page, "/cart") == ["tea"]


def test_a_subdomain_can_plant_any_cookie_on_its_parent_but_ours(serve, page, context):
    page.goto(serve(shop(), "www.a.test") + "/public")
    for name in (COOKIE, "app_session"):
        page.evaluate("name => { document.cookie = `${name}=planted; path=/; Secure; Domain=a.test` }", name)
    assert list(jar(context)) == ["app_session"]


def test_two_hosts_of_one_site_have_sessions_of_their_own(serve, page):
    app = shop()
    page.goto(serve(app) + "/public")
    fetch(page, "/cart/tea", "POST")
    page.goto(serve(app, "www.a.test") + "/public")
    assert fetch(page, "/cart") == []
