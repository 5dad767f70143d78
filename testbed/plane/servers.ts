import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { Api } from '../kube/api.ts';
import { nodeAddress, serviceRange } from '../kubelet/addresses.ts';
import { auditPolicy } from './audit.ts';
import { Authority, type KeyPair, newKeyPem } from './pki.ts';
import { freePort } from './ports.ts';
import { BorrowedProcess, Child, type ServerProcess } from './processes.ts';
import { ServiceRange } from './service-range.ts';

/** The bed's own user, which distinguishes its writes in an audit log from those of the kubeconfig's user. */
export const bedUser = 'bed';

/** The group of Kubernetes with all rights. */
export const masters = 'system:masters';

/** The issuer and the audience of service account tokens. */
export const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local';

const readyTimeout = 120_000;

/** Everything that another process needs to use running servers. */
export interface LentServers {
  dir: string;
  port: number;
  serviceRange: string;
  authority: KeyPair;
  otherAuthority: KeyPair;
  tokenKeyPem: string;
  pids: Record<string, number>;
}

/**
 * etcd and kube-apiserver in a folder, on a port of 127.0.0.1, with a CA, a key for tokens and a range of Service addresses of
 * their own: the part of a plane that takes seconds to start, and that does not know the plane's name.
 */
export class Servers {
  readonly dir: string;
  /** A CA that only the bed itself trusts. */
  readonly otherAuthority: Authority;
  readonly tokenKeyPem: string;
  readonly serviceRange: string;
  readonly #binary: string;
  readonly #release: () => void;
  #authority: Authority;
  #port: number;
  #processes: ServerProcess[] = [];

  private constructor(
    binary: string,
    lent: Omit<LentServers, 'authority' | 'otherAuthority' | 'pids'>,
    authority: Authority,
    otherAuthority: Authority,
    release: () => void,
  ) {
    this.dir = lent.dir;
    this.#authority = authority;
    this.otherAuthority = otherAuthority;
    this.tokenKeyPem = lent.tokenKeyPem;
    this.serviceRange = lent.serviceRange;
    this.#binary = binary;
    this.#release = release;
    this.#port = lent.port;
  }

  /** Creates the files, and starts the servers with a certificate for this machine only. */
  static async create(dir: string, binary: string): Promise<Servers> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const authority = await Authority.createRsa('kubernetes');
    const otherAuthority = await Authority.create('other');
    const tokenKeyPem = await newKeyPem();
    const range = await ServiceRange.claim();
    const lent = { dir, port: 0, serviceRange: serviceRange(range.number), tokenKeyPem };
    const servers = new Servers(binary, lent, authority, otherAuthority, () => range.release());
    try {
      await servers.#write({
        'service-account.key': tokenKeyPem,
        'audit-policy.json': JSON.stringify(auditPolicy),
      });
      await servers.#writeAuthority();
      await servers.serveWith(await servers.#forThisMachine());
      await servers.#startOnFreePort();
      return servers;
    } catch (error) {
      await servers.destroy();
      throw error;
    }
  }

  /** Servers that another process has started. */
  static adopt(lent: LentServers, binary: string, release: () => void): Servers {
    const authority = Authority.of(lent.authority);
    const servers = new Servers(
      binary,
      lent,
      authority,
      Authority.of(lent.otherAuthority),
      release,
    );
    servers.#processes = Object.entries(lent.pids).map(
      ([name, pid]) => new BorrowedProcess(name, pid, lent.dir),
    );
    return servers;
  }

  /** What another process needs to adopt them. */
  get lent(): LentServers {
    const { dir, port, serviceRange, authority, otherAuthority, tokenKeyPem, pids } = this;
    const pairOf = ({ certPem, keyPem }: Authority): KeyPair => ({ certPem, keyPem });
    return {
      ...{ dir, port, serviceRange, tokenKeyPem, pids },
      authority: pairOf(authority),
      otherAuthority: pairOf(otherAuthority),
    };
  }

  get authority(): Authority {
    return this.#authority;
  }

  get port(): number {
    return this.#port;
  }

  /** The number of its range of Service addresses, from 1 to 253, which no other plane on this machine has. */
  get number(): number {
    return Number(this.serviceRange.split('.')[2]);
  }

  /** The URL of the API server for programs on this machine. */
  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** Both CAs: what the bed itself trusts. */
  get bothCas(): string {
    return this.authority.certPem + this.otherAuthority.certPem;
  }

  /** The IDs of the running processes, by program. */
  get pids(): Record<string, number> {
    return Object.fromEntries(
      this.#processes.filter(({ hasEnded }) => !hasEnded).map(({ name, pid = 0 }) => [name, pid]),
    );
  }

  /** The table of connections of the API server (programs/overlay/syscall.go.txt). */
  get #table(): string {
    return join(this.dir, 'connections');
  }

  /** From now on, this file is the table of connections; without one, there are none. */
  async route(table?: string): Promise<void> {
    await rm(this.#table, { force: true });
    if (table !== undefined) await symlink(table, this.#table);
  }

  /** Replaces the CA, which the API server reloads soon: it refuses the clients of the previous one from then on. */
  async renewAuthority(): Promise<void> {
    this.#authority = await Authority.createRsa('kubernetes');
    await this.#writeAuthority();
    await this.serveWith(await this.#forThisMachine());
  }

  #writeAuthority(): Promise<void> {
    return this.#write({ 'ca.crt': this.#authority.certPem, 'ca.key': this.#authority.keyPem });
  }

  /** A serving certificate that has none of a plane's names. */
  #forThisMachine(): Promise<KeyPair> {
    return this.#authority.issue({ commonName: 'kube-apiserver', hosts: ['127.0.0.1'] });
  }

  /** Starts stopped servers with the same data on the same port. */
  async start(): Promise<void> {
    const own = apiserverFlags(this.dir, this.#port, this.serviceRange);
    const network = {
      'advertise-address': nodeAddress(this.number),
      'kubelet-preferred-address-types': 'InternalIP',
      'requestheader-client-ca-file': join(this.dir, 'ca.crt'),
    };
    this.#processes = [
      new Child(this.#binary, 'etcd', etcdFlags(this.dir), this.dir),
      new Child(this.#binary, 'kube-apiserver', { ...own, ...network }, this.dir, {
        BED_NETWORK: this.#table,
      }),
    ];
    await this.untilReady();
  }

  untilReady(): Promise<void> {
    return this.until(() => this.isReady());
  }

  /** @throws Error unless it answers */
  async isReady(): Promise<boolean> {
    const api = new Api({ server: this.url, caPem: this.bothCas });
    try {
      return (await api.send<string>('GET', '/readyz')) === 'ok';
    } finally {
      api.close();
    }
  }

  /**
   * Repeats the question while the servers, and this client of them, run. An error counts as no.
   * @throws Error if one of them ends or all are stopped, or after two minutes
   */
  async until(holds: () => Promise<boolean>, client?: ServerProcess): Promise<void> {
    for (
      const deadline = Date.now() + readyTimeout;
      !(await holds().catch(() => false));
      await sleep(50)
    ) {
      const ended = [...this.#processes, ...(client ? [client] : [])].find(
        ({ hasEnded }) => hasEnded,
      );
      if (ended) throw new Error(await ended.lastWords());
      if (this.#processes.length === 0) throw new Error('the servers were stopped');
      if (Date.now() > deadline)
        throw new Error(
          `the servers were not ready after ${readyTimeout / 1000} s; their logs: ${this.dir}`,
        );
    }
  }

  /**
   * Makes the API server serve with this certificate, which it reloads within a second; existing connections survive. Servers
   * that do not run get it at their start.
   */
  async serveWith({ certPem, keyPem }: KeyPair): Promise<void> {
    await this.#write({ 'serving.key': keyPem, 'serving.crt': certPem });
    const wanted = new X509Certificate(certPem).fingerprint256;
    if (this.#processes.length > 0)
      await this.until(async () => (await servedFingerprint(this.#port)) === wanted);
  }

  /** Freezes or resumes etcd; the API server still runs. */
  async freezeStore(isFrozen: boolean): Promise<void> {
    this.#processes.find(({ name }) => name === 'etcd')?.freeze(isFrozen);
    if (!isFrozen) await this.untilReady();
  }

  /** Freezes or resumes all processes: frozen ones take no processor time. */
  freeze(isFrozen: boolean): void {
    for (const each of this.#processes) each.freeze(isFrozen);
  }

  /** Kills the processes; the data remain. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.stop()));
    this.#processes = [];
  }

  /** Ends the use of these servers by this process: borrowed ones go back when it ends, others stop now. */
  async release(): Promise<void> {
    if (!this.#processes.some((each) => each instanceof BorrowedProcess)) await this.stop();
    this.#release();
  }

  /** Ends them permanently, borrowed or not. */
  async destroy(): Promise<void> {
    await this.stop();
    this.#release();
  }

  /** Retries with another port, because another process may take the chosen port before the API server uses it. */
  async #startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.#port = await freePort();
      try {
        return await this.start();
      } catch (error) {
        await this.stop();
        const log = await readFile(join(this.dir, 'kube-apiserver.log'), 'utf8').catch(() => '');
        if (attempt === 5 || !log.includes('address already in use')) throw error;
      }
    }
  }

  async #write(files: Record<string, string>): Promise<void> {
    for (const [name, text] of Object.entries(files))
      await writeFile(join(this.dir, name), text, { mode: 0o600 });
  }
}

/** The fingerprint of the certificate that a new connection gets. */
async function servedFingerprint(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().fingerprint256;
  } finally {
    socket.destroy();
  }
}

/** The socket on which etcd serves. */
export const etcdSocket = (dir: string): string => join(dir, 'etcd.sock');

/**
 * Uses Unix sockets in the folder (the working directory), so that planes do not compete for ports. Does not sync to disk, because
 * the data need not survive.
 */
function etcdFlags(dir: string): Record<string, string> {
  return {
    name: 'etcd',
    'data-dir': join(dir, 'etcd'),
    'listen-client-urls': `unix://${etcdSocket(dir)}`,
    'advertise-client-urls': 'unix://client:0',
    'listen-peer-urls': 'unix://peer:0',
    'initial-advertise-peer-urls': 'unix://peer:0',
    'initial-cluster': 'etcd=unix://peer:0',
    'unsafe-no-fsync': 'true',
    'log-level': 'warn',
  };
}

function apiserverFlags(
  dir: string,
  port: number,
  serviceRange: string,
): Record<string, string | number> {
  return {
    'etcd-servers': `unix://${etcdSocket(dir)}`,
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'tls-cert-file': join(dir, 'serving.crt'),
    'tls-private-key-file': join(dir, 'serving.key'),
    'client-ca-file': join(dir, 'ca.crt'),
    'authorization-mode': 'RBAC',
    'enable-bootstrap-token-auth': 'true',
    'service-account-issuer': serviceAccountIssuer,
    'service-account-key-file': join(dir, 'service-account.key'),
    'service-account-signing-key-file': join(dir, 'service-account.key'),
    'service-cluster-ip-range': serviceRange,
    'audit-policy-file': join(dir, 'audit-policy.json'),
    'audit-log-path': auditLog(dir),
    // Priority and fairness cost CPU time that a test machine does not have.
    'enable-priority-and-fairness': 'false',
    profiling: 'false',
  };
}

export const auditLog = (dir: string): string => join(dir, 'audit.log');
