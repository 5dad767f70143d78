import {
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Api } from '../kube/api.ts';
import type { ConfigMap, Container, Pod, Secret, Volume } from '../kube/objects.ts';
import { serviceAccounts } from '../kube/resources.ts';
import { fieldOf } from '../pod-runner/environment.ts';

interface KeyToPath {
  key: string;
  path: string;
}

/** A source of a projected volume. */
interface Projection {
  secret?: { name: string; optional?: boolean; items?: KeyToPath[] };
  configMap?: { name: string; optional?: boolean; items?: KeyToPath[] };
  downwardAPI?: Volume['downwardAPI'];
  serviceAccountToken?: { path: string; audience?: string; expirationSeconds?: number };
}

/** The mountable objects of a cluster, as its kubelet knows them. */
export interface Mountable {
  secret(key: string): Secret | undefined;
  configMap(key: string): ConfigMap | undefined;
}

type Files = Map<string, Buffer>;

/** The volumes of one pod as folders. An object that does not exist (any more) leaves the files as they are, if there are any. */
export class PodVolumes {
  readonly dir: string;
  readonly #kubelet: Api;
  readonly #pod: Pod;
  readonly #mountable: Mountable;
  readonly #written = new Map<string, string>();
  readonly #tokens = new Map<string, { token: string; renewAfter: number }>();

  constructor(kubelet: Api, pod: Pod, dir: string, mountable: Mountable) {
    this.#kubelet = kubelet;
    this.#pod = pod;
    this.dir = dir;
    this.#mountable = mountable;
  }

  /** Creates the folders, or brings their files up to date. @throws Error in the kubelet's words if an object is missing */
  async fill(): Promise<void> {
    for (const volume of this.#pod.spec.volumes ?? []) {
      const folder = this.#folderOf(volume.name);
      mkdirSync(folder, { recursive: true });
      try {
        const files = await this.#filesOf(volume);
        if (files) this.#write(folder, files);
      } catch (error) {
        if (this.#written.has(folder)) continue;
        throw new Error(
          `MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`,
        );
      }
    }
  }

  /** What a container has where: pairs of a path and a folder or file. */
  mountsOf({ volumeMounts = [] }: Container): [path: string, target: string][] {
    return volumeMounts.map(({ name, mountPath, subPath = '' }) => [
      mountPath.replace(/\/$/, ''),
      join(this.#folderOf(name), subPath),
    ]);
  }

  #folderOf(volume: string): string {
    return join(this.dir, 'volumes', volume);
  }

  async #filesOf(volume: Volume): Promise<Files | undefined> {
    const { secret, configMap, downwardAPI, projected } = volume as Volume & {
      configMap?: Projection['configMap'];
      projected?: { sources: Projection[] };
    };
    if (projected) return this.#project(projected.sources);
    if (secret) return this.#project([{ secret: { ...secret, name: secret.secretName } }]);
    if (configMap) return this.#project([{ configMap }]);
    return downwardAPI && this.#project([{ downwardAPI }]);
  }

  async #project(sources: readonly Projection[]): Promise<Files> {
    const files: Files = new Map();
    const { namespace } = this.#pod.metadata;
    for (const { secret, configMap, downwardAPI, serviceAccountToken } of sources) {
      const named = secret ?? configMap;
      if (named) {
        const found = secret
          ? this.#mountable.secret(`${namespace}/${named.name}`)
          : this.#mountable.configMap(`${namespace}/${named.name}`);
        if (!found && !named.optional)
          throw new Error(`${secret ? 'secret' : 'configmap'} "${named.name}" not found`);
        const data = found?.data ?? {};
        const items = named.items ?? Object.keys(data).map((key) => ({ key, path: key }));
        for (const { key, path } of items)
          if (data[key] !== undefined)
            files.set(path, Buffer.from(data[key], secret ? 'base64' : 'utf8'));
      }
      for (const { path, fieldRef } of downwardAPI?.items ?? [])
        files.set(path, Buffer.from(fieldOf(this.#pod, fieldRef.fieldPath)));
      if (serviceAccountToken)
        files.set(serviceAccountToken.path, await this.#token(serviceAccountToken));
    }
    return files;
  }

  /** A token of the pod's service account, bound to the pod, and a new one after four fifths of its lifetime. */
  async #token({
    path,
    audience,
    expirationSeconds = 3600,
  }: NonNullable<Projection['serviceAccountToken']>): Promise<Buffer> {
    const present = this.#tokens.get(path);
    if (present && Date.now() < present.renewAfter) return Buffer.from(present.token);
    const { namespace, name, uid } = this.#pod.metadata;
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name, uid };
    const key = `${namespace}/${this.#pod.spec.serviceAccountName ?? 'default'}`;
    const spec = { expirationSeconds, boundObjectRef, ...(audience && { audiences: [audience] }) };
    const { status } = await this.#kubelet.post<{ status: { token: string } }>(
      serviceAccounts,
      key,
      'token',
      { spec },
    );
    this.#tokens.set(path, {
      token: status.token,
      renewAfter: Date.now() + expirationSeconds * 800,
    });
    return Buffer.from(status.token);
  }

  /**
   * Replaces all files at once, as the kubelet does: they are links into `..data`, a link to a folder (k8s.io/kubernetes
   * pkg/volume/util/atomic_writer.go), for which programs watch.
   */
  #write(folder: string, files: Files): void {
    const content = JSON.stringify(
      [...files].map(([path, data]) => [path, data.toString('base64')]),
    );
    if (this.#written.get(folder) === content) return;
    this.#written.set(folder, content);
    const version = `..${process.hrtime.bigint()}`;
    for (const [path, data] of files) {
      mkdirSync(dirname(join(folder, version, path)), { recursive: true });
      writeFileSync(join(folder, version, path), data, { mode: 0o600 });
    }
    mkdirSync(join(folder, version), { recursive: true });
    const before = linkOf(join(folder, '..data'));
    symlinkSync(version, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    const tops = new Set([...files.keys()].map((path) => path.split('/')[0] ?? ''));
    for (const name of readdirSync(folder))
      if (!name.startsWith('..') && !tops.delete(name))
        rmSync(join(folder, name), { recursive: true });
    for (const name of tops) symlinkSync(join('..data', name), join(folder, name));
    if (before) rmSync(join(folder, before), { recursive: true });
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
