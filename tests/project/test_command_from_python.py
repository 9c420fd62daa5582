from fastsession import SessionMiddleware
from fastsession.__main__ import main


def test_the_command_can_be_called_from_python(capsys):
    assert main(["keygen"]) == 0
    SessionMiddleware(None, secret_key=capsys.readouterr().out.strip())
