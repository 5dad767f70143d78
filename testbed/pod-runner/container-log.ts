import { createWriteStream, type WriteStream } from 'node:fs';

/** How many lines the kubelet keeps of one run. */
const kept = 5_000;

export interface LogQuery {
  previous: boolean;
  tailLines?: number;
}

/** The output of a container: its latest and its previous run for the API server, all runs in a file for people. */
export class ContainerLog {
  readonly #file: WriteStream;
  #run: string[] | undefined;
  #ended: string[] | undefined;

  constructor(file: string) {
    this.#file = createWriteStream(file, { flags: 'a' });
  }

  begin(): void {
    this.#run = [];
  }

  /** Makes the ended run the previous run, because another run follows. */
  retire(): void {
    this.#ended = this.#run;
  }

  write(text: string): void {
    const time = new Date().toISOString();
    for (const part of text.split('\n')) {
      this.#run?.push(part);
      if ((this.#run?.length ?? 0) > kept) this.#run?.shift();
      if (!this.#file.writableEnded) this.#file.write(`${time} ${part}\n`);
    }
  }

  /** The lines of a run; undefined if that run does not exist. */
  read({ previous, tailLines }: LogQuery): string | undefined {
    const lines = previous ? this.#ended : this.#run;
    const wanted = tailLines === undefined ? lines : lines?.slice(Math.max(lines.length - tailLines, 0));
    return wanted?.map((line) => `${line}\n`).join('');
  }

  end(): void {
    this.#file.end();
  }
}
