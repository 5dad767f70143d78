import type { Socket } from 'node:net';

/** Joins two connections: when one ends or fails, the other ends too. As real proxies, it passes on small packets at once. */
export function pipeBoth(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.setNoDelay();
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}
