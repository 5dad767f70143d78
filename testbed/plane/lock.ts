import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process of this user on this machine runs under the same name. The lock is a socket without a file
 * (Linux's abstract ones), which the kernel releases however its owner ends.
 */
export async function withLock<T>(
  name: string,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const address = `\0stellarctl-bed/${process.getuid?.()}/${name}`;
  let lock = await acquire(address);
  if (!lock) onWait();
  for (; !lock; lock = await acquire(address)) await sleep(500);
  try {
    return await work();
  } finally {
    lock.close();
  }
}

function acquire(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(address, () => resolve(server));
  });
}
