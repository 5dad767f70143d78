import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apply } from '../kube/apply.ts';
import { type Entry, kubeconfigOf } from '../kube/kubeconfig.ts';
import { bindingObject, type Rule, roleObject, type Subject } from '../ocm/rbac.ts';
import type { Plane } from '../plane/plane.ts';

export interface LimitedUser {
  user: string;
  groups?: string[];
  /** The user's permissions, cluster-wide; none by default. */
  rules?: Rule[];
}

/** A user of a plane by client certificate, with exactly these permissions, in a context with the name of the plane. */
export async function limitedUser(
  plane: Plane,
  { user, groups = [], rules = [] }: LimitedUser,
): Promise<Entry> {
  const role = `bed:${user}`;
  const subject: Subject = { kind: 'User', name: user };
  await apply(plane.admin, roleObject(role, rules));
  await apply(plane.admin, bindingObject(role, { name: role }, [subject]));
  return plane.entryFor(user, await plane.issueUser(user, groups));
}

/** A user of a plane by token. */
export function tokenUser(plane: Plane, token: string, user = 'token'): Entry {
  return plane.entryFor(user, { token });
}

/** Writes a kubeconfig with these contexts into the folder of one of their planes; the first is the current one. */
export async function writeKubeconfig(plane: Plane, entries: Entry[]): Promise<string> {
  const dir = join(plane.dir, 'kubeconfigs');
  await mkdir(dir, { recursive: true });
  const file = join(dir, randomBytes(6).toString('hex'));
  await writeFile(file, kubeconfigOf(entries), { mode: 0o600 });
  return file;
}
