#!/usr/bin/env python3
"""Drives the examples without HTTP: echo, chat, webspider and seed.

    network_examples_test.py ECHO [unittest options]      the others are beside the echo server

Standard library only; everything on 127.0.0.1.
"""

import contextlib
import pathlib
import re
import signal
import socket
import subprocess
import sys
import unittest

PROGRAM = ""
TIMEOUT = 60


def beside(name):
    return str(pathlib.Path(PROGRAM).with_name(name))


def complaints(errors):
    """What a program said, but for slow steps: they are the machine's, which runs other tests meanwhile."""
    said = re.sub(r"^W .*the loop was blocked.*\n(?:    #.*\n)*", "", errors, flags=re.MULTILINE)
    return said.strip()


@contextlib.contextmanager
def server(program, quiet=True):
    """Port and process of a server that ends cleanly on SIGTERM, having said nothing if it is to be quiet."""
    process = subprocess.Popen([program, "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        found = re.fullmatch(r"listening (\d+)\n", process.stdout.readline())
        if not found:
            raise AssertionError(f"{program} does not listen: {process.stderr.read()}")
        yield int(found[1]), process
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=TIMEOUT)
    if process.returncode != 0 or (quiet and complaints(errors)):
        raise AssertionError(f"{program} ended with {process.returncode}: {errors}")


class Client:
    """A connection that is read line by line."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.lines = self.socket.makefile("r", newline="\n")

    def say(self, text):
        self.socket.sendall(text.encode())

    def hear(self):
        return self.lines.readline()

    def close(self):
        self.lines.close()
        self.socket.close()


class Echo(unittest.TestCase):
    def test_every_line_comes_back(self):
        with server(PROGRAM) as (port, _):
            one, two = Client(port), Client(port)
            one.say("first\nsec")
            two.say("other\n")
            self.assertEqual(one.hear(), "first\n")
            self.assertEqual(two.hear(), "other\n")
            one.say("ond\n")
            self.assertEqual(one.hear(), "second\n")
            one.close()
            two.close()


class Chat(unittest.TestCase):
    def enter(self, port, name):
        guest = Client(port)
        self.addCleanup(guest.close)
        self.assertEqual(guest.hear(), "What is your name?\n")
        guest.say(name + "\r\n")
        self.assertEqual(guest.hear(), f"* {name} is here\n")
        return guest

    def test_guests_hear_each_other(self):
        with server(beside("chat")) as (port, _):
            ada = self.enter(port, "ada")
            bob = self.enter(port, "bob")
            self.assertEqual(ada.hear(), "* bob is here\n")
            ada.say("hello\n")
            self.assertEqual(ada.hear(), "ada: hello\n")
            self.assertEqual(bob.hear(), "ada: hello\n")
            bob.close()
            self.assertEqual(ada.hear(), "* bob has left\n")

    def test_a_signal_shows_who_waits_for_what(self):
        with server(beside("chat"), quiet=False) as (port, process):
            ada = self.enter(port, "ada")
            process.send_signal(signal.SIGUSR1)
            peer = f"127.0.0.1:{ada.socket.getsockname()[1]}"
            # The stream stands below the task that used it last: the one that speaks, or the one that listens.
            wanted = [r"(?m)^\d+ tasks$", rf"has a stream with {peer}\n", rf"waiting: reading from {peer}.*\n +at chat\.cpp:\d+ listen"]
            text = ""
            while not all(re.search(each, text) for each in wanted):
                line = process.stderr.readline()
                self.assertTrue(line, text)
                text += line


class Spider(unittest.TestCase):
    def test_finds_every_page_of_its_own_site(self):
        done = subprocess.run([beside("webspider")], capture_output=True, text=True, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "41 pages, 1 broken")


class Seed(unittest.TestCase):
    def test_the_three_ways_have_the_same_sum(self):
        done = subprocess.run([beside("seed"), "20"], capture_output=True, text=True, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = re.findall(r"^(processes|threads|coroutines) .* sum (\d+)$", done.stdout, re.MULTILINE)
        expected = str(sum(number % 7 for number in range(20)))
        self.assertEqual(found, [("processes", expected), ("threads", expected), ("coroutines", expected)], done.stdout)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
