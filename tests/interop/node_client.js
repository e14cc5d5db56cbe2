// Clients of another hand: Node's fetch, and the package `ws`, against the interop server.
//
//     node_client.js fetch|ws BASE
//
// Prints `ok NAME` or `failed NAME: why` for each case.
'use strict';
const assert = require('assert');
const crypto = require('crypto');

const [what, base] = process.argv.slice(2);
const cases = { fetch: {}, ws: {} };

// --- fetch ---------------------------------------------------------------------------------------

cases.fetch['GET'] = async () => {
  const response = await fetch(`${base}/plaintext`);
  assert.strictEqual(await response.text(), 'Hello, World!');
  assert.strictEqual(response.headers.get('content-type'), 'text/plain; charset=utf-8');
};
cases.fetch['HEAD'] = async () => {
  const response = await fetch(`${base}/plaintext`, { method: 'HEAD' });
  assert.strictEqual(response.headers.get('content-length'), '13');
  assert.strictEqual(await response.text(), '');
};
cases.fetch['statuses'] = async () => {
  assert.strictEqual((await fetch(`${base}/nowhere`)).status, 404);
  assert.strictEqual((await fetch(`${base}/plaintext`, { method: 'POST' })).status, 405);
};
cases.fetch['echo of 3 MB'] = async () => {
  const body = crypto.randomBytes(3000000);
  const response = await fetch(`${base}/echo`, { method: 'POST', body });
  assert.ok(body.equals(Buffer.from(await response.arrayBuffer())));
};
cases.fetch['a body that is streamed'] = async () => {
  const body = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 100; ++i) controller.enqueue(Buffer.alloc(1000, 's'));
      controller.close();
    },
  });
  const response = await fetch(`${base}/echo`, { method: 'PUT', body, duplex: 'half' });
  assert.strictEqual((await response.text()).length, 100000);
};
cases.fetch['JSON'] = async () => {
  const value = { text: 'größe', list: [1, 2.5, null, true], nested: { '\n': '"' } };
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`${base}/json`, { method: 'POST', headers, body: JSON.stringify(value) });
  assert.deepStrictEqual(await response.json(), value);
};
cases.fetch['a form with a file'] = async () => {
  const form = new FormData();
  form.append('field', 'value');
  form.append('file', new Blob([Buffer.alloc(10000, 'f')], { type: 'image/png' }), 'a b.png');
  const { parts } = await (await fetch(`${base}/upload`, { method: 'POST', body: form })).json();
  assert.deepStrictEqual(parts.map((part) => [part.name, part.filename, part.size]),
    [['field', null, 5], ['file', 'a b.png', 10000]]);
};
cases.fetch['redirects'] = async () => {
  const response = await fetch(`${base}/redirect?to=/plaintext&code=307`);
  assert.ok(response.redirected);
  assert.strictEqual(await response.text(), 'Hello, World!');
};
cases.fetch['pieces as they come'] = async () => {
  const response = await fetch(`${base}/stream?chunks=5&ms=5`);
  let text = '';
  for await (const piece of response.body) text += Buffer.from(piece);
  assert.strictEqual(text.split('\n').length, 6);
};
cases.fetch['many at a time'] = async () => {
  const all = Array.from({ length: 200 }, (_, i) => fetch(`${base}/query/${i}`).then((r) => r.json()));
  (await Promise.all(all)).forEach((answer, i) => assert.strictEqual(answer.path, `/query/${i}`));
};
cases.fetch['aborting'] = async () => {
  const signal = AbortSignal.timeout(20);
  await assert.rejects(fetch(`${base}/sleep?ms=60000`, { signal }));
  assert.strictEqual((await fetch(`${base}/plaintext`)).status, 200);
};

// --- ws ------------------------------------------------------------------------------------------

let WebSocket = null;

function open(options) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${base.replace('http', 'ws')}/ws/echo`, options);
    const waiting = [];
    const come = [];
    socket.on('message', (data, isBinary) => {
      const message = isBinary ? data : data.toString();
      if (waiting.length) waiting.shift()(message);
      else come.push(message);
    });
    socket.next = () => (come.length ? Promise.resolve(come.shift()) : new Promise((done) => waiting.push(done)));
    socket.ended = new Promise((done) => socket.on('close', (code, reason) => done([code, reason.toString()])));
    socket.on('open', () => resolve(socket));
    socket.on('error', reject);
  });
}
async function sizes(options) {
  const socket = await open(options);
  for (const size of [0, 1, 125, 126, 127, 65535, 65536, 1000000]) {
    socket.send('x'.repeat(size));
    assert.strictEqual(await socket.next(), 'x'.repeat(size));
    const bytes = crypto.randomBytes(size);
    socket.send(bytes);
    assert.ok(bytes.equals(await socket.next()));
  }
  socket.close(4321, 'done');
  assert.strictEqual((await socket.ended)[0], 4321);
}
cases.ws['messages of every size'] = () => sizes({ perMessageDeflate: false });
cases.ws['compressed'] = () => sizes({ perMessageDeflate: { threshold: 0 } });
cases.ws['without context takeover'] = () => sizes({
  perMessageDeflate: { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
});
cases.ws['small windows'] = () => sizes({
  perMessageDeflate: { threshold: 0, serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
});
cases.ws['fragments'] = async () => {
  const socket = await open({});
  socket.send('frag', { fin: false });
  socket.send('ment', { fin: false });
  socket.ping('between');
  socket.send('ed', { fin: true });
  assert.strictEqual(await socket.next(), 'fragmented');
  socket.close();
  await socket.ended;
};
cases.ws['pings'] = async () => {
  const socket = await open({});
  const pong = new Promise((done) => socket.on('pong', (data) => done(data.toString())));
  socket.ping('are you there');
  assert.strictEqual(await pong, 'are you there');
  socket.terminate();
};
cases.ws['a message that is too big'] = async () => {
  const socket = await open({ perMessageDeflate: false });
  socket.on('error', () => {});
  socket.send(Buffer.alloc(64 * 1024 * 1024 + 1));
  assert.strictEqual((await socket.ended)[0], 1009);
};

// -------------------------------------------------------------------------------------------------

(async () => {
  if (what === 'ws') WebSocket = require('ws');
  let failed = 0;
  for (const [name, run] of Object.entries(cases[what])) {
    try {
      await run();
      console.log(`ok ${name}`);
    } catch (error) {
      ++failed;
      console.log(`failed ${name}: ${String(error.message).split('\n')[0]}`);
    }
  }
  process.exit(failed ? 1 : 0);
})();
