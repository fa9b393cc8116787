"use strict";
// Shows /openapi.json, which the program makes of its own table of routes.

function element(name, className, ...children) {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...children.filter((c) => c !== null && c !== undefined && c !== ""));
  return e;
}
const code = (text) => element("code", "", text);

// typeOf tells a schema in a few words; a reference becomes a link.
function typeOf(schema) {
  if (!schema) return element("span");
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    const a = element("a", "", name);
    a.href = "#schema-" + name;
    return a;
  }
  if (schema.anyOf) return element("span", "", schema.anyOf.map((s) => s.format || s.type).join(" or "));
  const types = [].concat(schema.type || "any");
  if (types.includes("array")) return element("span", "", "list of ", typeOf(schema.items));
  if (schema.additionalProperties) return element("span", "", "map to ", typeOf(schema.additionalProperties));
  let text = types.map((t) => (t !== "null" && schema.format ? t + " " + schema.format : t)).join(" or ");
  if (schema.enum) text += ": " + schema.enum.filter((w) => w !== null).join(", ");
  if (schema.minimum !== undefined && schema.maximum !== undefined) text += " " + schema.minimum + ".." + schema.maximum;
  return element("span", "", text);
}

function table(caption, heads, rows) {
  const head = element("tr", "", ...heads.map((h) => {
    const th = element("th", "", h);
    th.scope = "col";
    return th;
  }));
  const body = rows.map((cells) => element("tr", "", ...cells.map((c) => element("td", "", c))));
  return element("table", "", element("caption", "", caption), element("thead", "", head), element("tbody", "", ...body));
}

function parameters(op) {
  if (!op.parameters) return null;
  return table("Parameters", ["name", "in", "type", "default", ""], op.parameters.map((p) => [
    code(p.name + (p.required ? " *" : "")), p.in, typeOf(p.schema),
    p.schema.default === undefined ? "" : code(String(p.schema.default)), p.description || "",
  ]));
}

function responses(op) {
  return table("Answers", ["status", "what", "as"], Object.entries(op.responses).sort().map(([status, r]) => {
    const kinds = element("span");
    for (const [media, m] of Object.entries(r.content || {})) {
      if (kinds.firstChild) kinds.append(", ");
      kinds.append(code(media), " ");
      if (m.schema) kinds.append(typeOf(m.schema));
    }
    return [code(status), r.description, kinds];
  }));
}

function operation(path, verb, op) {
  const body = op.requestBody && op.requestBody.content["application/json"];
  const box = element("article", "op",
    element("h3", "", element("span", "verb " + verb, verb.toUpperCase()), code(path)),
    element("p", "", element("strong", "", op.summary), " ", op.description || ""),
    op.security && op.security.every((s) => Object.keys(s).length) ? element("p", "", "Needs ", code("Authorization: Bearer …"), ".") : null,
    parameters(op),
    body ? element("p", "", "Body: ", code("application/json"), " ", typeOf(body.schema)) : null,
    responses(op));
  box.id = op.operationId;
  return box;
}

function schema(name, s) {
  const rows = Object.entries(s.properties || {}).map(([member, m]) => [
    code(member + ((s.required || []).includes(member) ? "" : " ?")), typeOf(m), m.description || "",
  ]);
  const box = element("article", "op", table(name, ["member", "type", ""], rows));
  box.id = "schema-" + name;
  return box;
}

async function main() {
  const paths = document.getElementById("paths");
  let doc;
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) throw new Error("status " + answer.status);
    doc = await answer.json();
  } catch (error) {
    paths.textContent = "/openapi.json could not be read: " + error.message;
    return;
  }
  document.getElementById("about").textContent = doc.info.title + " " + doc.info.version + ". " + (doc.info.description || "");
  const groups = new Map((doc.tags || []).map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(doc.paths).sort()) {
    for (const verb of ["get", "post", "delete"]) {
      if (!item[verb]) continue;
      const tag = item[verb].tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push([path, verb, item[verb]]);
    }
  }
  paths.replaceChildren();
  const contents = element("ul");
  for (const [tag, operations] of groups) {
    const section = element("section", "", element("h2", "", tag));
    for (const [path, verb, op] of operations) {
      section.append(operation(path, verb, op));
      const a = element("a", "", verb.toUpperCase() + " " + path);
      a.href = "#" + op.operationId;
      contents.append(element("li", "", a));
    }
    paths.append(section);
  }
  document.getElementById("contents").append(contents);
  const schemas = document.getElementById("schemas");
  for (const [name, s] of Object.entries(doc.components.schemas).sort()) schemas.append(schema(name, s));
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

main();
