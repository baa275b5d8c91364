"""A module of Synapse (Matrix): refuses media that `hashgate serve` holds, uploaded and downloaded from other servers.

homeserver.yaml:

    modules:
      - module: synapse_hashgate.Hashgate
        config:
          url: http://127.0.0.1:8787
          token: ...               # of --token-file, if there is one
          when_unavailable: block  # or allow: what becomes of files while the server gives no verdict
"""

from typing import Any, Union

from twisted.web.client import readBody
from twisted.web.http_headers import Headers

from synapse.logging.context import make_deferred_yieldable
from synapse.module_api import NOT_SPAM, ModuleApi
from synapse.module_api.errors import Codes, ConfigError


class Hashgate:
    def __init__(self, config: dict, api: ModuleApi):
        self._url = config["url"].rstrip("/") + "/v1/check"
        self._headers = Headers({"Content-Type": ["application/octet-stream"]})
        if "token" in config:
            self._headers.addRawHeader("Authorization", f"Bearer {config['token']}")
        self._allow = config["when_unavailable"] == "allow"
        self._http = api.http_client
        api.register_spam_checker_callbacks(check_media_file_for_spam=self.check_media_file_for_spam)

    @staticmethod
    def parse_config(config: dict) -> dict:
        if "url" not in config or config.get("when_unavailable") not in ("block", "allow"):
            raise ConfigError("hashgate: expected url, and when_unavailable: block or allow")
        return config

    async def check_media_file_for_spam(self, file_wrapper: Any, file_info: Any) -> Union[str, Codes]:
        # A thumbnail that this server makes shows what the checked picture shows.
        if file_info.thumbnail is not None:
            return NOT_SPAM
        chunks: list = []
        await file_wrapper.write_chunks_to(chunks.append)
        try:
            response = await self._http.request("POST", self._url, data=b"".join(chunks), headers=self._headers)
            # The connection is free again once the answer is read.
            await make_deferred_yieldable(readBody(response))
        except Exception:
            return NOT_SPAM if self._allow else Codes.FORBIDDEN
        # Only the server's own verdicts have this header.
        decision = response.headers.getRawHeaders("X-Hashgate-Decision", [""])[0]
        if decision == "upload" or (decision != "hold" and self._allow):
            return NOT_SPAM
        return Codes.FORBIDDEN
