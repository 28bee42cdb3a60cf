"""The manifests in deploy/, and what Kubernetes and KEDA would say to them.

What they may have is known from packages that are made of the OpenAPI description of Kubernetes and of KEDA's own
definition. KubeRay has none: what a RayCluster may have is written down here, after KubeRay's reference of `ray.io/v1`
(1.4), as far as these manifests need it; the templates of its pods are Kubernetes' own.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import yaml

from support.deployed import DEPLOY

KUBERNETES = "cloudcoil.models.kubernetes"
MODELS = {
    "v1": f"{KUBERNETES}.core.v1",
    "apps/v1": f"{KUBERNETES}.apps.v1",
    "policy/v1": f"{KUBERNETES}.policy.v1",
    "networking.k8s.io/v1": f"{KUBERNETES}.networking.v1",
    "keda.sh/v1alpha1": "cloudcoil.models.keda.v1alpha1",
}

RAY_CLUSTER = {
    "rayVersion": str,
    "enableInTreeAutoscaling": bool,
    "autoscalerOptions": {"upscalingMode": str, "idleTimeoutSeconds": int},
    "gcsFaultToleranceOptions": {
        "redisAddress": str,
        "redisPassword": {"valueFrom": {"secretKeyRef": {"name": str, "key": str}}},
    },
    "headGroupSpec": {"rayStartParams": dict, "template": dict},
    "workerGroupSpecs": [
        {
            "groupName": str,
            "replicas": int,
            "minReplicas": int,
            "maxReplicas": int,
            "rayStartParams": dict,
            "template": dict,
        }
    ],
}


def manifests(path: str) -> list[dict[str, Any]]:
    """The manifests of a file below deploy/."""
    return [document for document in yaml.safe_load_all((DEPLOY / path).read_text()) if document]


def check(manifest: dict[str, Any]) -> None:
    """Raise if a manifest is not what its kind says: something is missing, of another type, or unknown."""
    version, kind = manifest["apiVersion"], manifest["kind"]
    if (version, kind) == ("ray.io/v1", "RayCluster"):
        _check_ray_cluster(manifest)
    else:
        _check_model(getattr(import_module(MODELS[version]), kind), manifest)


def _check_model(model: Any, value: dict[str, Any]) -> None:
    """The model raises at what is missing or of another type; what it does not know, it leaves out."""
    known = model.model_validate(value).model_dump(by_alias=True, exclude_unset=True, mode="json")
    unknown = sorted(_places(value) - _places(known))
    if unknown:
        raise ValueError(f"{model.__name__} has no {unknown[0]}")


def _places(value: Any, at: str = "") -> set[str]:
    """Where something stands in a tree of objects and lists."""
    if isinstance(value, dict):
        inner = [(f"{at}.{key}", item) for key, item in value.items()]
    elif isinstance(value, list):
        inner = [(f"{at}[{number}]", item) for number, item in enumerate(value)]
    else:
        inner = []
    return {at}.union(*(_places(item, place) for place, item in inner))


def _check_ray_cluster(manifest: dict[str, Any]) -> None:
    template = import_module(MODELS["v1"]).PodTemplateSpec
    spec = manifest["spec"]
    _check_shape(spec, RAY_CLUSTER, "spec")
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        _check_model(template, group["template"])
        wrong = [name for name, value in group["rayStartParams"].items() if not isinstance(value, str)]
        if wrong:
            raise ValueError(f"rayStartParams.{wrong[0]} is not a text, and must be one")
    for group in spec["workerGroupSpecs"]:
        if not group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]:
            raise ValueError(f"replicas of {group['groupName']} are not between the least and the most")


def _check_shape(value: Any, shape: Any, at: str) -> None:
    if isinstance(shape, type):
        if not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
            raise ValueError(f"{at} is not {shape.__name__}")
    elif isinstance(shape, list):
        for item in value:
            _check_shape(item, shape[0], at)
    else:
        if unknown := value.keys() - shape.keys():
            raise ValueError(f"{at} has no {min(unknown)}")
        for key, item in value.items():
            _check_shape(item, shape[key], f"{at}.{key}")
