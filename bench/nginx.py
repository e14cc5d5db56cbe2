"""nginx with one worker and a configuration of its own, as a peer of the benchmarks."""

import shutil
from pathlib import Path

CONFIG = """
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  {http}
}}
"""


def program():
    """Its path; None when it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def command(directory, http):
    """The command line of an nginx that has its files in `directory` and serves what `http`, the inside of the
    block of that name, says."""
    config = Path(directory) / "nginx.conf"
    config.write_text(CONFIG.format(directory=directory, http=http))
    return [program(), "-p", directory, "-c", str(config), "-e", f"{directory}/error.log"]
