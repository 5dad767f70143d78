import type { KubeObject } from '../../../kube/objects.ts';

/** Notices objects that are recreated: the same name, another UID. */
export class Recreations {
  readonly #uids = new Map<string, Set<string>>();

  /** @returns those of these objects of which more than so many have been seen */
  see<Seen extends KubeObject>(objects: readonly Seen[], more: number): Seen[] {
    return objects.filter(({ metadata: { name, uid = '' } }) => {
      const uids = this.#uids.get(name) ?? new Set();
      this.#uids.set(name, uids.add(uid));
      return uids.size > more;
    });
  }
}
