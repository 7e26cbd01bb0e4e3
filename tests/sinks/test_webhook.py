from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web
from sample_alerts import STARTED

from liqwatch.alerting.message import render, worded
from liqwatch.alerts import Alert
from liqwatch.sinks.base import Delivery, DeliveryError, RetryLater, Undeliverable
from liqwatch.sinks.webhook import WebhookSettings, WebhookSink

DELIVERY = Delivery(alert=worded(STARTED), text=render(STARTED, "en"))


@asynccontextmanager
async def webhook(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]], timeout_s: float = 5.0
) -> AsyncIterator[WebhookSink]:
    app = web.Application()
    app.router.add_post("/hook", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook?key=hidden"
    sink = WebhookSink(WebhookSettings(url=url), timeout_s=timeout_s)
    try:
        yield sink
    finally:
        await sink.close()
        await runner.cleanup()


async def failure(status: int, **headers: str) -> DeliveryError:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(
            status=status, headers={key.replace("_", "-"): text for key, text in headers.items()}
        )

    async with webhook(answer) as sink:
        with pytest.raises(DeliveryError) as failed:
            await sink.send(DELIVERY)
    assert "hidden" not in repr(failed.value)
    return failed.value


async def test_the_alert_arrives_as_the_object_of_the_alert_file() -> None:
    bodies: list[bytes] = []

    async def accept(request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        bodies.append(await request.read())
        return web.Response(status=204)

    async with webhook(accept) as sink:
        await sink.send(DELIVERY)

    assert msgspec.json.decode(bodies[0], type=Alert) == DELIVERY.alert


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
async def test_passing_trouble_is_tried_again(status: int) -> None:
    error = await failure(status)

    assert isinstance(error, RetryLater)
    assert error.seconds is None


@pytest.mark.parametrize(
    ("header", "seconds"), [("17", 17.0), ("99999999", 3600.0), ("soon", None), ("²", None)]
)
async def test_a_named_time_is_obeyed_within_an_hour(header: str, seconds: float | None) -> None:
    error = await failure(503, Retry_After=header)

    assert isinstance(error, RetryLater)
    assert error.seconds == seconds


@pytest.mark.parametrize("status", [400, 401, 404, 410])
async def test_a_refusal_is_final(status: int) -> None:
    assert isinstance(await failure(status), Undeliverable)


async def test_a_redirect_is_not_followed() -> None:
    error = await failure(302, Location="http://127.0.0.1:9/elsewhere")

    assert isinstance(error, Undeliverable)


async def test_silence_and_refused_connections_are_tried_again() -> None:
    async def hang(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with webhook(hang, timeout_s=0.2) as sink:
        with pytest.raises(RetryLater):
            await sink.send(DELIVERY)
    nobody = WebhookSink(WebhookSettings(url="http://127.0.0.1:9/?key=hidden"))
    with pytest.raises(RetryLater) as failed:
        await nobody.send(DELIVERY)
    await nobody.close()

    assert "hidden" not in str(failed.value)


async def test_a_program_gets_alerts_and_no_remarks_on_them() -> None:
    async def refuse(_: web.Request) -> web.Response:
        raise AssertionError

    async with webhook(refuse) as sink:
        await sink.send(Delivery(text=render(STARTED, "en")))
