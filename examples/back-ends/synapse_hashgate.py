"""A module of Synapse (Matrix): refuses media that `hashgate serve` holds, uploaded and downloaded from other servers.

homeserver.yaml:

    modules:
      - module: synapse_hashgate.Hashgate
        config:
          url: http://127.0.0.1:8787
          token: ...               # of --token-file, if there is one
          when_unavailable: block  # or allow: what becomes of files while the server gives no verdict
"""

from io import BytesIO
from typing import Any, Union

from synapse.module_api import NOT_SPAM, ModuleApi
from synapse.module_api.errors import Codes, ConfigError


class Hashgate:
    def __init__(self, config: dict, api: ModuleApi):
        self._url = config["url"].rstrip("/") + "/v1/check"
        self._headers = {b"Content-Type": [b"application/octet-stream"]}
        if "token" in config:
            self._headers[b"Authorization"] = [b"Bearer " + config["token"].encode()]
        self._allow = config["when_unavailable"] == "allow"
        self._http = api.http_client
        api.register_spam_checker_callbacks(check_media_file_for_spam=self.check_media_file_for_spam)

    @staticmethod
    def parse_config(config: dict) -> dict:
        if "url" not in config or config.get("when_unavailable") not in ("block", "allow"):
            raise ConfigError("hashgate: expected url, and when_unavailable: block or allow")
        return config

    async def check_media_file_for_spam(self, file_wrapper: Any, file_info: Any) -> Union[str, Codes]:
        # A thumbnail shows what the checked picture shows.
        if file_info.thumbnail is not None:
            return NOT_SPAM
        file = BytesIO()
        await file_wrapper.write_chunks_to(file.write)
        try:
            response = await self._http.request("POST", self._url, data=BytesIO(file.getvalue()), headers=_headers(self._headers))
        except Exception:
            return NOT_SPAM if self._allow else Codes.FORBIDDEN
        decision = response.headers.getRawHeaders(b"X-Hashgate-Decision", [b""])[0]
        if decision == b"upload" or (decision != b"hold" and self._allow):
            return NOT_SPAM
        return Codes.FORBIDDEN


def _headers(raw: dict) -> Any:
    from twisted.web.http_headers import Headers

    return Headers(raw)
