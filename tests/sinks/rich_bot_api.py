"""What the fake Bot API needs beyond text: photos, captions, topics, pins."""

from typing import Any

from fake_bot_api import FakeBotApi, Refusal


class RichBotApi(FakeBotApi):
    def __init__(self, *chats: int) -> None:
        super().__init__(*chats)
        self.pinned: dict[int, list[int]] = {}
        self.topics: dict[int, dict[int, str]] = {}  # of forums only, by chat
        self.media_refused = False

    def _judge(self, method: str, parameters: dict[str, Any]) -> None:
        # Files and abstract types are more than the fake can judge.
        plain = {"media", "photo"} | {
            name for name, value in parameters.items() if str(value).startswith("FileField(")
        }
        rest = {name: value for name, value in parameters.items() if name not in plain}
        if method == "sendPhoto":
            rest["photo"] = "a file"
        if method != "editMessageMedia":
            super()._judge(method, rest)

    def _perform(self, token: str, method: str, parameters: dict[str, Any]) -> Any:
        match method:
            case "sendPhoto":
                message = self._perform(token, "sendMessage", self._as_text(method, parameters))
                message["photo"] = PHOTO
                return message
            case "editMessageCaption" | "editMessageMedia":
                return self._edit_photo(method, parameters)
            case "createForumTopic":
                return self._topic(parameters)
            case "pinChatMessage":
                self.pinned.setdefault(self._chat(parameters), []).append(parameters["message_id"])
                return True
        thread = parameters.get("message_thread_id")
        if thread is not None and thread not in self.topics.get(self._chat(parameters), {}):
            raise Refusal(400, "Bad Request: message thread not found")
        result = super()._perform(token, method, parameters)
        if method == "editMessageText" and "photo" in result:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        return result

    def _as_text(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._judge(method, parameters)
        kept = {"chat_id", "disable_notification", "reply_parameters", "message_thread_id"}
        return {name: parameters[name] for name in kept & parameters.keys()} | {"text": "(photo)"}

    def _edit_photo(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._judge(method, parameters)
        message = self.messages[self._chat(parameters)][parameters["message_id"]]
        words = parameters.get("media", parameters)
        if method == "editMessageMedia":
            if self.media_refused:
                raise Refusal(400, "Bad Request: message can't be changed into a photo")
            message["photo"], message["text"] = PHOTO, ""  # another picture is a change
        elif "photo" not in message:
            raise Refusal(400, "Bad Request: there is no caption in the message to edit")
        text = {"text": words["caption"], "parse_mode": words.get("parse_mode")}
        self._edit({**parameters, **text})
        assert len(message["text"]) <= 1024
        return message

    def _topic(self, parameters: dict[str, Any]) -> dict[str, Any]:
        topics = self.topics.get(self._chat(parameters))
        if topics is None:
            raise Refusal(400, "Bad Request: not enough rights to create a topic")
        number = 100 + len(topics)
        topics[number] = parameters["name"]
        return {"message_thread_id": number, "name": parameters["name"], "icon_color": 7322096}


PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
