// The server of another hand that our clients are driven against: Node's http, and the package `ws`.
// Prints `listening PORT`. NODE_PATH must lead to `ws`; without it there are no WebSockets.
'use strict';
const http = require('http');
const zlib = require('zlib');

const large = Buffer.alloc(5000000, 'l');
const text = Buffer.alloc(20000, 't');

function answer(request, response) {
  const path = request.url.split('?')[0];
  if (path === '/hello') return response.end('hello');
  if (path === '/redirect') return response.writeHead(302, { Location: '/hello' }).end();
  if (path === '/text') {
    const wanted = (request.headers['accept-encoding'] || '').includes('gzip');
    if (!wanted) return response.end(text);
    return response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(zlib.gzipSync(text));
  }
  if (path === '/large') {
    response.setHeader('Content-Length', large.length);
    return request.method === 'HEAD' ? response.end() : response.end(large);
  }
  if (path === '/sink') {
    request.resume();
    return request.on('end', () => response.end('taken'));
  }
  if (path === '/echo') return request.pipe(response);
  if (path === '/trailers') {
    response.setHeader('Trailer', 'X-Sum');
    response.write('body');
    response.addTrailers({ 'X-Sum': '4' });
    return response.end();
  }
  if (path === '/cut') {
    response.setHeader('Content-Length', 100);
    return response.write('half', () => response.destroy());
  }
  response.writeHead(404).end('not found');
}

const server = http.createServer(answer);
let WebSocketServer = null;
try {
  ({ WebSocketServer } = require('ws'));
} catch (error) {
  // HTTP alone
}
if (WebSocketServer) {
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: { threshold: 0 },
    maxPayload: 64 * 1024 * 1024,
    handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
  });
  sockets.on('connection', (socket, request) => {
    if (request.url === '/bye') return socket.close(4000, 'go away');
    socket.on('message', (data, isBinary) => {
      if (request.url !== '/flaky') return socket.send(data, { binary: isBinary });
      socket.send('subscribed', () => socket.terminate());
    });
  });
}
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
