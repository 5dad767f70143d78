import { cpSync, linkSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../plane/machine.ts';

/**
 * Gives another user, who cannot read this one's home folder and downloads nothing, the binaries and charts that the bed has built.
 * @param to the folder in their cache
 */
export function shareCache(to: string): void {
  mkdirSync(to, { recursive: true });
  const from = cacheFolder();
  for (const charts of readdirSync(from).filter((name) => /^charts-[0-9a-f]{16}$/.test(name)))
    cpSync(join(from, charts), join(to, charts), { recursive: true });
  for (const build of readdirSync(from).filter((name) => /^[0-9a-f]{16}$/.test(name)))
    for (const entry of readdirSync(join(from, build), { withFileTypes: true })) {
      mkdirSync(join(to, build), { recursive: true });
      const [file, link] = [from, to].map((place) => join(place, build, entry.name)) as [
        string,
        string,
      ];
      try {
        if (entry.isFile()) linkSync(file, link);
        else cpSync(file, link, { recursive: true });
      } catch {
        cpSync(file, link);
      }
    }
}
