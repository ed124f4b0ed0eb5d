"""Login, push and pull through the `docker` package: HOST NAME REPOSITORY, the password in PASSWORD."""

import os
import sys

import docker
from docker.errors import APIError

host, name, repository = sys.argv[1:4]
password = os.environ["PASSWORD"]
client = docker.from_env()

try:
    client.login(username=name, password="a guess", registry=host)
    sys.exit("a wrong password was accepted")
except APIError as error:
    assert error.status_code in (401, 500), error
assert client.login(username=name, password=password, registry=host)["Status"] == "Login Succeeded"

for event in client.images.push(repository, tag="1", stream=True, decode=True):
    if "error" in event:
        sys.exit(event["error"])
pushed = client.images.get_registry_data(repository + ":1").id
client.images.remove(repository + ":1", force=True)

image = client.images.pull(repository, tag="1")
assert any(digest.endswith(pushed) for digest in image.attrs["RepoDigests"]), image.attrs["RepoDigests"]
output = client.containers.run(image.id, remove=True, network_mode="none")
assert output == b"pushed by python\n", output
client.images.remove(repository + ":1", force=True)
print("all well")
