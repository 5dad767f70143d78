import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { Player } from './player.ts';
import { replay } from './transcript.ts';

/** Compares what a player prints and writes with the transcripts of a folder of test/golden, in the order of the files. */
export function replayAll(folder: string, when: string, player: () => Player): void {
  const place = path.resolve(import.meta.dirname, '..', '..', '..', 'golden', folder);
  describe(`${when}, output and writes match the recording`, { concurrency: 1 }, () => {
    for (const file of readdirSync(place).sort())
      it(path.basename(file, '.txt'), () =>
        replay(path.join(place, file), (step) => player().perform(step)),
      );
  });
}
