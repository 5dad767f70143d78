import type { Container, Pod, Secret, Volume } from '../kube/objects.ts';
import { fieldOf } from './environment.ts';

/** The files of one pod, from Secrets, its own fields, and emptyDirs that its containers share. */
export class PodFiles {
  readonly #pod: Pod;
  readonly #findSecret: (name: string) => Secret | undefined;
  /** The last known mounted Secrets: a running pod keeps the files of a deleted Secret. */
  readonly #secrets = new Map<string, Secret>();
  readonly #emptyDirs = new Map<string, Map<string, string>>();

  constructor(pod: Pod, findSecret: (name: string) => Secret | undefined) {
    this.#pod = pod;
    this.#findSecret = findSecret;
  }

  /** A volume whose required Secret does not exist, if any. */
  get missing(): Volume | undefined {
    const { volumes = [] } = this.#pod.spec;
    return volumes.find(({ secret }) => secret && !secret.optional && !this.#findSecret(secret.secretName));
  }

  /** The file system of a container that starts now. */
  mountFor(container: Container): Mount {
    const mounted = this.#mounted(container);
    return {
      readFile: (path) => {
        const place = this.#inEmptyDir(container, path);
        return place ? place.dir.get(place.path) : mounted.get(path);
      },
      writeFile: (path, text) => {
        const place = this.#inEmptyDir(container, path);
        if (!place) throw new Error(`open ${path}: read-only file system`);
        place.dir.set(place.path, text);
      },
    };
  }

  #mounted({ volumeMounts = [] }: Container): Map<string, string> {
    const files = new Map<string, string>();
    for (const { name, mountPath, subPath } of volumeMounts) {
      const { secret: source, downwardAPI } = this.#volume(name) ?? {};
      for (const { path, fieldRef } of downwardAPI?.items ?? [])
        files.set(`${mountPath.replace(/\/$/, '')}/${path}`, fieldOf(this.#pod, fieldRef.fieldPath));
      if (!source) continue;
      const secret = this.#findSecret(source.secretName) ?? this.#secrets.get(source.secretName);
      if (secret) this.#secrets.set(source.secretName, secret);
      const data = secret?.data ?? {};
      const items = source.items ?? Object.keys(data).map((key) => ({ key, path: key }));
      for (const { key, path } of items) {
        const text = Buffer.from(data[key] ?? '', 'base64').toString();
        if (subPath === undefined) files.set(`${mountPath.replace(/\/$/, '')}/${path}`, text);
        else if (subPath === path) files.set(mountPath, text);
      }
    }
    return files;
  }

  #inEmptyDir({ volumeMounts = [] }: Container, path: string): { dir: Map<string, string>; path: string } | undefined {
    for (const { name, mountPath } of volumeMounts) {
      const root = `${mountPath.replace(/\/$/, '')}/`;
      if (!path.startsWith(root) || !this.#volume(name)?.emptyDir) continue;
      const dir = this.#emptyDirs.get(name) ?? new Map<string, string>();
      this.#emptyDirs.set(name, dir);
      return { dir, path: path.slice(root.length) };
    }
    return undefined;
  }

  #volume(name: string): Volume | undefined {
    return this.#pod.spec.volumes?.find((volume) => volume.name === name);
  }
}

export interface Mount {
  readFile(path: string): string | undefined;
  writeFile(path: string, text: string): void;
}
