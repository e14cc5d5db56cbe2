#!/usr/bin/python3
"""Tornado with the benchmark's endpoints, one process: tornado_server.py PORT."""

import asyncio
import sys

import tornado.web


class Handler(tornado.web.RequestHandler):
    def compute_etag(self):
        return None  # the other servers hash no bodies either


class Plaintext(Handler):
    def get(self):
        self.set_header("Content-Type", "text/plain")
        self.write("Hello, World!")


class Json(Handler):
    def get(self):
        self.set_header("Content-Type", "application/json")
        self.write('{"message":"Hello, World!"}')


class Resource(Handler):
    def get(self, _, identity):
        self.set_header("Content-Type", "text/plain")
        self.write(identity)


class Echo(Handler):
    def post(self):
        self.set_header("Content-Type", "text/plain")
        self.write(self.request.body)


async def main():
    routes = [("/plaintext", Plaintext), ("/json", Json), ("/echo", Echo)]
    routes += [(f"/api/(res{i})/([^/]+)", Resource) for i in range(100)]
    application = tornado.web.Application(routes, log_function=lambda handler: None)
    application.listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
