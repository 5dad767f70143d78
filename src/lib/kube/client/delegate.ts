import type { Kube } from './client.ts';

/** A client with some members of its own, and all others of another client. */
export const withOwn = (kube: Kube, own: Partial<Kube>): Kube =>
  new Proxy(kube, {
    get(_, name) {
      const owner = name in own ? own : kube;
      const member: unknown = Reflect.get(owner, name);
      return typeof member === 'function' ? member.bind(owner) : member;
    },
  });
