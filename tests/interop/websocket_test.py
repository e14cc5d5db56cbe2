#!/usr/bin/env python3
"""Drives /ws/echo of the interop server with Python's `websockets`, a client of another hand.

    websocket_test.py PROGRAM [unittest options]

PROGRAM is started with --port=0 and prints `listening PORT` once it serves. Needs Debian's python3-websockets.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import unittest

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's packages, whichever Python runs this

import websockets  # noqa: E402
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory  # noqa: E402

PROGRAM = ""
TIMEOUT = 60
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1_000_000]
EXTENSIONS = {
    "no compression": None,
    "usual": [ClientPerMessageDeflateFactory(client_max_window_bits=True)],
    "small windows": [ClientPerMessageDeflateFactory(server_max_window_bits=9, client_max_window_bits=9)],
    "no takeover": [ClientPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)],
}


def text_of(size):
    return "".join(chr(ord("a") + i * 7 % 23) if i % 50 else "é" for i in range(size))


class WebSocketTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process = subprocess.Popen([PROGRAM, "--port=0", "--log-level=error"], stdout=subprocess.PIPE, text=True)
        found = re.fullmatch(r"listening (\d+)\n", cls.process.stdout.readline())
        cls.url = f"ws://127.0.0.1:{found[1]}/ws/echo"

    @classmethod
    def tearDownClass(cls):
        cls.process.send_signal(signal.SIGTERM)
        assert cls.process.wait(TIMEOUT) == 0
        cls.process.stdout.close()

    def run_with(self, conversation, **options):
        async def run():
            options.setdefault("compression", None)
            options.setdefault("max_size", 100 * 1024 * 1024)
            async with websockets.connect(self.url, **options) as socket:
                await conversation(socket)
        asyncio.run(asyncio.wait_for(run(), TIMEOUT))

    def test_messages_of_every_size_come_back(self):
        async def conversation(socket):
            for size in SIZES:
                for message in (text_of(size), os.urandom(size)):
                    await socket.send(message)
                    self.assertEqual(await socket.recv(), message)
        for name, extensions in EXTENSIONS.items():
            with self.subTest(name):
                self.run_with(conversation, extensions=extensions)

    def test_compression_is_agreed_upon(self):
        async def conversation(socket):
            self.assertEqual([each.name for each in socket.extensions], ["permessage-deflate"])
        self.run_with(conversation, extensions=EXTENSIONS["usual"])

    def test_fragments_are_put_together(self):
        async def conversation(socket):
            await socket.send(["frag", "ment", "ed"])
            self.assertEqual(await socket.recv(), "fragmented")
        for name, extensions in EXTENSIONS.items():
            with self.subTest(name):
                self.run_with(conversation, extensions=extensions)

    def test_pings_are_answered(self):
        async def conversation(socket):
            await (await socket.ping(b"are you there"))
        self.run_with(conversation)

    def test_many_messages_at_once(self):
        async def conversation(socket):
            messages = [f"message {i}" for i in range(5000)]
            sender = asyncio.create_task(self.send_all(socket, messages))
            for message in messages:
                self.assertEqual(await socket.recv(), message)
            await sender
        self.run_with(conversation)

    @staticmethod
    async def send_all(socket, messages):
        for message in messages:
            await socket.send(message)

    def test_a_close_is_answered_with_its_code(self):
        async def conversation(socket):
            await socket.close(4321, "reason")
            self.assertEqual(socket.close_code, 4321)
        self.run_with(conversation)

    def test_a_message_that_is_too_big_is_refused_with_1009(self):
        async def conversation(socket):
            with self.assertRaises(websockets.ConnectionClosed):
                await socket.send(b"x" * (64 * 1024 * 1024 + 1))
                await socket.recv()
            self.assertEqual(socket.close_code, 1009)
        self.run_with(conversation)

    def test_the_server_says_goodbye_when_it_ends(self):
        process = subprocess.Popen([PROGRAM, "--port=0", "--log-level=error"], stdout=subprocess.PIPE, text=True)
        port = re.fullmatch(r"listening (\d+)\n", process.stdout.readline())[1]

        async def run():
            async with websockets.connect(f"ws://127.0.0.1:{port}/ws/echo") as socket:
                process.send_signal(signal.SIGTERM)
                with self.assertRaises(websockets.ConnectionClosed):
                    await socket.recv()
                self.assertEqual(socket.close_code, 1001)
        asyncio.run(asyncio.wait_for(run(), TIMEOUT))
        self.assertEqual(process.wait(TIMEOUT), 0)
        process.stdout.close()


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
