import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../kube/api.ts';

/** One request that an API server answered (audit.k8s.io/v1 Event at level Metadata). */
export interface AuditEvent {
  verb: string;
  /** Contains `dryRun=All` if nothing was stored. */
  requestURI: string;
  user: { username: string; groups?: string[] };
  userAgent?: string;
  objectRef?: {
    apiGroup?: string;
    resource: string;
    subresource?: string;
    namespace?: string;
    name?: string;
  };
  responseStatus?: { code: number };
  requestReceivedTimestamp: string;
}

const reading = ['get', 'list', 'watch'];

/** The group of the kubeconfig's users, whose reads an audit log has as well. */
export const kubeconfigGroup = 'bed:kubeconfig';

/** Every request that could write, including access reviews and dry runs; read-only requests only of the kubeconfig's users. */
export const auditPolicy: object = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'Metadata', userGroups: [kubeconfigGroup] },
    { level: 'None', verbs: reading },
    { level: 'Metadata' },
  ],
};

export const isRead = ({ verb }: AuditEvent): boolean => reading.includes(verb);

const markerPath =
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?fieldManager=audit-marker-';

/** Reads the audit log of one API server from a mark on; at first, from now on. */
export class AuditLog {
  readonly #file: string;
  #mark: number;

  constructor(file: string) {
    this.#file = file;
    this.#mark = statSync(file).size;
  }

  /** Forgets earlier entries. */
  async mark(admin: Api): Promise<void> {
    await this.#flush(admin);
    this.#mark = (await stat(this.#file)).size;
  }

  async events(admin: Api): Promise<AuditEvent[]> {
    await this.#flush(admin);
    // The last line may be incomplete, and the first one the rest of a line that was being written at the mark.
    const lines = (await this.#text()).split('\n').slice(0, -1);
    return lines
      .filter((line) => line.startsWith('{"kind":"Event"'))
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ requestURI }) => !requestURI.startsWith(markerPath));
  }

  /** A write of our own that has reached the log: earlier responses are then in it as well. */
  async #flush(admin: Api): Promise<void> {
    const path = markerPath + randomUUID();
    await admin.send('POST', path, { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } });
    while (!(await this.#text()).includes(path)) await sleep(20);
  }

  async #text(): Promise<string> {
    const file = await open(this.#file);
    try {
      const { size } = await file.stat();
      const { buffer } = await file.read(
        Buffer.alloc(size - this.#mark),
        0,
        size - this.#mark,
        this.#mark,
      );
      return buffer.toString();
    } finally {
      await file.close();
    }
  }
}
