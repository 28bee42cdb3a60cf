// The HTTP API as openapi.json describes it, for reading.

import { $, element } from "./dom.js";

const { info, paths } = await (await fetch("openapi.json")).json();
const root = new URL("../api", import.meta.url).href;

function example(path, method, operation) {
  const body = operation.requestBody?.content["application/json"].example;
  return [
    `curl -X ${method.toUpperCase()} -H "Authorization: Bearer $TOKEN"`,
    body && `-H "Content-Type: application/json" -d '${JSON.stringify(body)}'`,
    `${root}${path}`,
  ].filter(Boolean).join(" \\\n  ");
}

function operationCard([path, method, operation]) {
  return element(
    "section",
    { className: "card" },
    element("h2", {}, element("span", { className: "verb" }, method.toUpperCase()), element("code", {}, path)),
    element("p", {}, [operation.summary, operation.description].filter(Boolean).join(". ")),
    element("pre", {}, example(path, method, operation)),
    element("table", {}, ...Object.entries(operation.responses).map(([status, { description }]) =>
      element("tr", {}, element("td", {}, element("code", {}, status)), element("td", {}, description ?? "an error, with its text")))),
  );
}

const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).filter(([name]) => name !== "parameters").map(([method, operation]) => [path, method, operation]));
$("page").append(element("p", {}, info.description), ...operations.map(operationCard));
