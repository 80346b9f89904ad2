"""A lane's last question as a curl command, with the secrets left out: the shell fills in its own variables."""

from __future__ import annotations

import json
import shlex

from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Deployment, Request, Secret

GATEWAY_VARIABLE = "CLOUDFLARE_AI_GATEWAY_TOKEN"


def curl_of(deployment: Deployment, request: Request) -> str:
    """The command, ASCII only, so that nothing invisible reaches a shell; "" where there is no wire (the demo)."""
    from vibedesk.engine.dialects import dialect_of
    from vibedesk.engine.transport import headers_of, speaks, url_of

    if deployment.provider.simulated:
        return ""
    try:
        dialect = dialect_of(speaks(deployment))
        call = dialect.ask(request, deployment.model, deployment.provider)
    except EngineError:
        return ""
    variable = deployment.provider.env[0] if deployment.provider.env else "API_KEY"
    secret = Secret("$" + variable) if deployment.key is not None else None
    gateway = Secret("$" + GATEWAY_VARIABLE) if deployment.gateway is not None else None
    headers = headers_of(deployment, secret, gateway, call)
    lines = [f"curl -N {shlex.quote(_ascii(url_of(deployment, call.path)))}"]
    variables = ("$" + variable, "$" + GATEWAY_VARIABLE)
    lines += [
        f"  -H {_header(name, value, variables)}"
        for name, value in headers.items()
        if name != "accept-encoding"
    ]
    if call.body is not None:
        lines.append(f"  -d {shlex.quote(json.dumps(call.body))}")
    return " \\\n".join(lines)


def _header(name: str, value: str, variables: tuple[str, ...]) -> str:
    """Quoted, so that the shell fills in our variables and nothing else."""
    line = _ascii(f"{name}: {value}")
    variable = next((one for one in variables if line.endswith(one)), "")
    return shlex.quote(line.removesuffix(variable)) + f'"{variable}"' if variable else shlex.quote(line)


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")
