"""The manifests: Kubernetes, KEDA and KubeRay would take them, they fit each other, and what they start works.

No cluster is here. What a worker's container runs is run, with its folders elsewhere.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from support.deployed import DEPLOY, serves_and_drains
from support.manifests import check, manifests
from telnyx_native import CredentialConfig
from telnyx_native.fleet.plan import wanted_workers
from telnyx_native.fleet.settings import FleetSettings
from telnyx_native.gateway import Gateway, User
from telnyx_native.worker import HealthServer, Worker

FILES = sorted(str(path.relative_to(DEPLOY)) for path in DEPLOY.rglob("*.yaml"))
WORKER = "kubernetes/worker.yaml"
FLEET = "kuberay/raycluster.yaml"


def one(file: str, kind: str) -> dict[str, Any]:
    (found,) = [manifest for manifest in manifests(file) if manifest["kind"] == kind]
    return found


def pod_of_worker() -> dict[str, Any]:
    return one(WORKER, "StatefulSet")["spec"]["template"]["spec"]


@pytest.mark.parametrize("file", FILES)
def test_manifests_are_as_their_schemas_say(file: str) -> None:
    found = manifests(file)
    assert found
    for manifest in found:
        check(manifest)


@pytest.mark.parametrize(
    ("file", "kind", "path", "value"),
    [
        (WORKER, "StatefulSet", "spec.replicaCount", 3),
        (WORKER, "StatefulSet", "spec.replicas", "three"),
        (WORKER, "StatefulSet", "spec.template.spec.terminationGracePeriod", 60),
        (WORKER, "StatefulSet", "spec.template.spec.containers.0.livenessProbe.httpGet.port", None),
        (WORKER, "PodDisruptionBudget", "spec.maxUnavailable", {}),
        ("kubernetes/autoscaling.yaml", "ScaledObject", "spec.triggers.0.metadata", "text"),
        ("kubernetes/autoscaling.yaml", "ScaledObject", "spec.minReplicas", 2),
        (FLEET, "RayCluster", "spec.headGroupSpec.rayStartParams.num-cpus", 1),
        (FLEET, "RayCluster", "spec.workerGroupSpecs.0.maxReplica", 4),
        (FLEET, "RayCluster", "spec.workerGroupSpecs.0.template.spec.containers.0.imag", "x"),
    ],
)
def test_what_is_wrong_is_noticed(file: str, kind: str, path: str, value: object) -> None:
    manifest = deepcopy(one(file, kind))
    *parents, last = path.split(".")
    at: Any = manifest
    for name in parents:
        at = at[int(name)] if name.isdecimal() else at[name]
    at[last] = value
    with pytest.raises(ValueError):  # noqa: PT011 - each package has words of its own
        check(manifest)


def test_a_pod_may_end_its_calls_before_it_is_killed() -> None:
    pod = pod_of_worker()
    drain = re.search(r"--drain (\d+)", pod["containers"][0]["args"][0])
    assert drain
    assert pod["terminationGracePeriodSeconds"] > int(drain[1])


def test_each_pod_has_a_login_of_its_own() -> None:
    pods = one(WORKER, "StatefulSet")["metadata"]["name"]
    examples = manifests("kubernetes/logins.example.yaml")
    secrets = {manifest["metadata"]["name"]: manifest["stringData"] for manifest in examples}
    volumes = {volume["name"]: volume for volume in pod_of_worker()["volumes"]}
    (mount,) = [mount for mount in pod_of_worker()["containers"][0]["volumeMounts"] if "subPathExpr" in mount]
    logins = secrets[volumes[mount["name"]]["secret"]["secretName"]]
    assert mount["subPathExpr"] == "$(POD_NAME)"
    most = one("kubernetes/autoscaling.yaml", "ScaledObject")["spec"]["maxReplicaCount"]
    assert list(logins) == [f"{pods}-{number}" for number in range(most)]
    assert len(set(logins.values())) == most


def test_selectors_select_the_pods() -> None:
    labels = one(WORKER, "StatefulSet")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        one(WORKER, "Service")["spec"]["selector"],
        one(WORKER, "StatefulSet")["spec"]["selector"]["matchLabels"],
        one(WORKER, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one(WORKER, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]
    assert selectors == [labels] * 4
    assert one("kubernetes/autoscaling.yaml", "ScaledObject")["spec"]["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": one(WORKER, "StatefulSet")["metadata"]["name"],
    }


async def test_what_a_worker_container_runs(tmp_path: Path, unused_tcp_port: int) -> None:
    """With the login of the first pod, as the shell reads it from the secret."""
    container = pod_of_worker()["containers"][0]
    (text,) = container["args"]
    text = text.replace("0.0.0.0:8090", f"127.0.0.1:{unused_tcp_port}")
    places = {mount["mountPath"]: str(tmp_path / mount["name"]) for mount in container["volumeMounts"]}
    text = re.sub("|".join(places), lambda path: places[path[0]], text)
    logins = manifests("kubernetes/logins.example.yaml")[0]["stringData"]
    (tmp_path / "logins").write_text(logins["telnyx-worker-0"])
    (tmp_path / "state").mkdir()
    user, password = re.findall(r"'(.+)'", logins["telnyx-worker-0"])
    async with Gateway([User(user, password)]) as gateway:
        command = [*container["command"], text]
        await serves_and_drains(command, {"TELNYX_WORKER_TOKEN": "x"}, unused_tcp_port, gateway, user)


async def test_probes_ask_for_what_is_there() -> None:
    async def serve(call: object) -> None:
        pass

    async with HealthServer(Worker(serve, login=CredentialConfig("bob", "x"))) as health:
        paths = {resource.canonical for resource in health._runner.app.router.resources()}  # type: ignore[union-attr]
    container = pod_of_worker()["containers"][0]
    probes = {name: container[name]["httpGet"] for name in ("livenessProbe", "startupProbe", "readinessProbe")}
    assert {probe["path"] for probe in probes.values()} <= paths
    assert {probe["port"] for probe in probes.values()} <= {port["name"] for port in container["ports"]}


@pytest.mark.parametrize(("calls", "wanted"), [(0, 1), (5, 1), (6, 2), (25, 2), (60, 4)])
def test_keda_wants_as_many_workers_as_the_fleet_would(calls: int, wanted: int) -> None:
    """KEDA divides what the query gives by the threshold, and rounds up."""
    (trigger,) = one("kubernetes/autoscaling.yaml", "ScaledObject")["spec"]["triggers"]
    query = re.fullmatch(
        r"sum\(\(telnyx_worker_slots - telnyx_worker_slots_free\) \* \(1 - telnyx_worker_draining\)\) \+ (\d+)",
        trigger["metadata"]["query"],
    )
    assert query
    per_worker = int(trigger["metadata"]["threshold"])
    assert f"--max-calls {per_worker} " in pod_of_worker()["containers"][0]["args"][0]
    assert -(-(calls + int(query[1])) // per_worker) == wanted == wanted_workers(calls, int(query[1]), per_worker)


def fleet_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FleetSettings:
    for name, value in manifests("kuberay/secrets.example.yaml")[0]["stringData"].items():
        monkeypatch.setenv(name, value)
    (folder / "fleet.toml").write_text(one(FLEET, "ConfigMap")["data"]["fleet.toml"])
    return FleetSettings.load(folder / "fleet.toml")


def test_the_fleet_fits_its_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = fleet_settings(tmp_path, monkeypatch)
    cluster = one(FLEET, "RayCluster")["spec"]
    assert "resources" not in cluster["headGroupSpec"]["rayStartParams"]  # no calls, so no worker
    (group,) = cluster["workerGroupSpecs"]
    resources = json.loads(json.loads(group["rayStartParams"]["resources"]))
    per_pod = min(
        resources["calls"] // settings.workers.calls, int(group["rayStartParams"]["num-cpus"]) // settings.workers.cpus
    )
    assert per_pod * group["maxReplicas"] >= 2 * settings.most  # when they are rolled, both generations are there
    pod = group["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > settings.workers.drain
    assert settings.voice_api
    (head,) = cluster["headGroupSpec"]["template"]["spec"]["containers"]
    assert {"name": "webhooks", "containerPort": settings.voice_api.port} in head["ports"]


def test_the_script_before_the_end_of_a_node_compiles() -> None:
    data = one(FLEET, "ConfigMap")["data"]
    pod = one(FLEET, "RayCluster")["spec"]["workerGroupSpecs"][0]["template"]["spec"]
    *_, path = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    compile(data[Path(path).name], path, "exec")
