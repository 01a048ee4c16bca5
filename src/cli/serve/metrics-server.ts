/**
 * Figures of one store by HTTP, as Prometheus asks for them: GET /metrics. Each scrape looks at the store anew. Numbers
 * alone are given, no record and no path but the directory's name.
 */
import { stat } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { Registry } from '@prometheus-io/client';
import { observeDirectory, StoreMetrics } from '../../metrics/index.ts';
import { CliError } from '../cli-error.ts';

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

async function answer(request: IncomingMessage, response: ServerResponse, registry: Registry): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const say = (status: number, type: string, text: string): void => {
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : text);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') say(405, 'text/plain', 'this can only be looked at\n');
  else if (pathname === '/metrics') say(200, registry.contentType, await registry.metrics());
  else if (pathname === '/') say(200, 'text/plain', 'figures of the store: /metrics\n');
  else say(404, 'text/plain', 'there is only /metrics\n');
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'the port is taken: give another one, or 0 for any that is free'
          : `${error.code}: give another --host or --metrics port`;
      reject(new CliError(`cannot listen at ${host}:${port}: ${why}`));
    });
    server.listen(port, host, done);
  });
}

/**
 * @param host to listen at. @param port 0 for any that is free.
 * @throws CliError when there is no such directory, or it cannot listen there.
 */
export async function serveMetrics(directory: string, host: string, port: number): Promise<MetricsServer> {
  const found = await stat(directory).catch(() => null);
  if (found?.isDirectory() !== true) {
    throw new CliError(`${directory} is no directory: give the one that holds the store`);
  }
  const registry = new Registry();
  const metrics = new StoreMetrics(registry);
  metrics.observe(resolve(directory), observeDirectory(directory));
  const server = createServer((request, response) => {
    answer(request, response, registry).catch((error: unknown) => {
      // A scrape that fails is the scraper's to see; the next one is a new look.
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`${String(error)}\n`);
    });
  });
  await listen(server, host, port);
  const { port: given } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${given}/metrics`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
