"""A product whose people sign in with their company's identity provider. Not a line of it is about SAML."""

import os
import secrets
from html import escape
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl
from wsgiref.simple_server import make_server

from workos import WorkOSClient, WorkOSError

PORT = int(os.environ.get("PORT", "6547"))
authio = WorkOSClient(
    base_url=os.environ["AUTHIO_BASE_URL"],
    api_key=os.environ["AUTHIO_API_KEY"],
    client_id=os.environ["AUTHIO_CLIENT_ID"],
)
people = {}  # who is signed in, by the session in their cookie

FORM = """<h1>Sign in</h1><form action="/sign-in"><label>Your work e-mail address
<input type="email" name="email" required></label> <button>Sign in with your company</button></form>"""


def product(environ, start_response):
    given = dict(parse_qsl(environ["QUERY_STRING"]))
    cookies = {name: one.value for name, one in SimpleCookie(environ.get("HTTP_COOKIE", "")).items()}
    path, headers, page = environ["PATH_INFO"], [("Content-Type", "text/html; charset=utf-8")], FORM
    if path == "/sign-in":
        state = secrets.token_urlsafe()
        where = authio.sso.get_authorization_url(
            redirect_uri=f"http://localhost:{PORT}/callback", login_hint=given.get("email"), state=state
        )
        headers += [
            ("Location", where),
            ("Set-Cookie", f"state={state}; HttpOnly; SameSite=Lax; Path=/callback"),
        ]
    elif path == "/callback":
        # Only the browser that has asked is let in: otherwise anybody could sign you in as somebody else.
        is_ours = cookies.get("state") == given.get("state", "")
        try:
            person = authio.sso.get_profile_and_token(code=given["code"]).profile if is_ours else None
        except (WorkOSError, KeyError):
            person = None
        if person:
            session = secrets.token_urlsafe()
            people[session] = person
            headers += [
                ("Location", "/"),
                ("Set-Cookie", f"session={session}; HttpOnly; SameSite=Lax; Path=/"),
            ]
        else:
            page = f"<h1>That did not work</h1><p>{escape(given.get('error', 'Please try again.'))}</p>{FORM}"
    elif cookies.get("session") in people:
        person = people[cookies["session"]]
        shown = [person.first_name, person.last_name, person.email, person.organization_id, person.idp_id]
        page = f"<h1>Welcome</h1><p>{escape(' · '.join(filter(None, shown)))}</p>"
    start_response("303 See Other" if len(headers) > 1 else "200 OK", headers)
    return [page.encode()]


if __name__ == "__main__":
    print(f"The product is at http://localhost:{PORT}/", flush=True)
    make_server("127.0.0.1", PORT, product).serve_forever()
