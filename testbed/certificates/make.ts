import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { buildGoProgram, type Log } from '../plane/go-program.ts';

/** A server, the authorities that its client knows, and what Go says against it. All texts are PEM. */
export interface JudgedServer {
  /** What its certificate is or has, as the end of a sentence. */
  what: string;
  /** By which it is reached: a DNS name or an address. */
  name: string;
  authorities: string;
  certificate: string;
  key: string;
  /** Empty if Go accepts the server. */
  refused: string;
}

/** Servers with certificates as KubeFlex makes them, and with others, each judged by Go's own verification. */
export async function judgedServers(log: Log = () => {}): Promise<JudgedServer[]> {
  const path = await buildGoProgram(import.meta.dirname, 'certificates', 'certificates', log);
  const { stdout } = await promisify(execFile)(path, { maxBuffer: 1 << 24 });
  return JSON.parse(stdout) as JudgedServer[];
}
