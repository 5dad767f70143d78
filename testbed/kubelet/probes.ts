import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from '../kube/objects.ts';
import { hostOf, portOf } from './addresses.ts';

/** A probe of a container. Commands are not run: such a probe always succeeds. */
interface Probe {
  httpGet?: { path?: string; port: number | string; scheme?: string };
  tcpSocket?: { port: number | string };
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
}

export interface Probes {
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  startupProbe?: Probe;
}

/** A container that is not ready yet is asked this often, where a kubelet waits for the period. */
const hurry = 300;

/**
 * Watches a running container until the signal. Says when it is ready and when not any more, and that it must be restarted, when its
 * liveness or startup probe has failed too often.
 */
export async function watchContainer(
  container: Container & Probes,
  address: string,
  on: { ready: (isReady: boolean) => void; failed: (which: string) => void },
  signal: AbortSignal,
): Promise<void> {
  const { readinessProbe, livenessProbe, startupProbe } = container;
  const ask = (probe: Probe) => succeeds(probe, container, address);
  if (startupProbe && !(await hasStarted(startupProbe, ask, signal))) {
    if (!signal.aborted) on.failed('startup');
    return;
  }
  const readiness = async () => {
    if (!readinessProbe) return on.ready(true);
    for (let isReady = false, failures = 0; !signal.aborted; ) {
      const answer = await ask(readinessProbe);
      failures = answer ? 0 : failures + 1;
      const isNow: boolean =
        answer || (isReady && failures < (readinessProbe.failureThreshold ?? 3));
      if (isNow !== isReady && !signal.aborted) on.ready(isNow);
      isReady = isNow;
      await pause(isReady ? period(readinessProbe) : hurry, signal);
    }
  };
  const liveness = async () => {
    if (!livenessProbe) return;
    await pause((livenessProbe.initialDelaySeconds ?? 0) * 1000, signal);
    for (let failures = 0; !signal.aborted; await pause(period(livenessProbe), signal)) {
      failures = (await ask(livenessProbe)) ? 0 : failures + 1;
      if (failures >= (livenessProbe.failureThreshold ?? 3) && !signal.aborted)
        return on.failed('liveness');
    }
  };
  await Promise.all([readiness(), liveness()]);
}

async function hasStarted(
  probe: Probe,
  ask: (probe: Probe) => Promise<boolean>,
  signal: AbortSignal,
) {
  const limit =
    (probe.initialDelaySeconds ?? 0) * 1000 + (probe.failureThreshold ?? 3) * period(probe);
  for (
    const deadline = Date.now() + limit;
    Date.now() < deadline && !signal.aborted;
    await pause(hurry, signal)
  )
    if (await ask(probe)) return true;
  return false;
}

const period = ({ periodSeconds = 10 }: Probe) => periodSeconds * 1000;

async function succeeds(
  probe: Probe,
  { ports = [] }: Container,
  address: string,
): Promise<boolean> {
  const { httpGet, tcpSocket, timeoutSeconds = 1 } = probe;
  const wanted = httpGet?.port ?? tcpSocket?.port;
  if (wanted === undefined) return true;
  const number =
    typeof wanted === 'number' ? wanted : ports.find(({ name }) => name === wanted)?.containerPort;
  if (number === undefined) return false;
  const target = { host: hostOf(address), port: portOf(number), timeout: timeoutSeconds * 1000 };
  return httpGet ? answersHttp(httpGet, target) : accepts(target);
}

interface Target {
  host: string;
  port: number;
  timeout: number;
}

/** Any answer of 200 to 399 counts, whatever the certificate. */
function answersHttp(
  { path = '/', scheme = 'HTTP' }: NonNullable<Probe['httpGet']>,
  target: Target,
): Promise<boolean> {
  return new Promise((resolve) => {
    const request = scheme === 'HTTPS' ? requestHttps : requestHttp;
    const options = { ...target, path, agent: false as const, rejectUnauthorized: false };
    const asked = request(options, (response) => {
      response.resume();
      resolve((response.statusCode ?? 0) >= 200 && (response.statusCode ?? 0) < 400);
    });
    asked
      .on('error', () => resolve(false))
      .on('timeout', () => asked.destroy(new Error('timeout')));
    asked.end();
  });
}

function accepts(target: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    const socket = connect(target, () => end(true));
    socket.on('error', () => end(false)).on('timeout', () => end(false));
  });
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
