import { createWriteStream, type WriteStream } from 'node:fs';

/** How many lines the kubelet keeps of one run. */
const kept = 5_000;

export interface LogQuery {
  previous: boolean;
  tailLines?: number;
  /** Milliseconds since the epoch. */
  since?: number;
  timestamps: boolean;
}

/** Its time is as the kubelet writes it (time.RFC3339Nano with all digits). */
interface Line {
  time: string;
  text: string;
}

/** The output of a container: its latest and its previous run for the API server, all runs in a file for people. */
export class ContainerLog {
  readonly #file: WriteStream;
  readonly #followers = new Set<(line: Line | undefined) => void>();
  #run: Line[] | undefined;
  #ended: Line[] | undefined;
  #written = 0;

  constructor(file: string) {
    this.#file = createWriteStream(file, { flags: 'a' });
  }

  begin(): void {
    this.#run = [];
  }

  /** Makes the ended run the previous run, because another run follows. */
  retire(): void {
    this.#ended = this.#run;
    this.#tell(undefined);
  }

  write(text: string): void {
    const now = new Date().toISOString();
    for (const part of text.split('\n')) {
      this.#written += 1;
      const time = `${now.slice(0, -1)}${String(this.#written % 1e6).padStart(6, '0')}Z`;
      const line = { time, text: part };
      this.#run?.push(line);
      if ((this.#run?.length ?? 0) > kept) this.#run?.shift();
      this.#tell(line);
      if (!this.#file.writableEnded) this.#file.write(`${now} ${part}\n`);
    }
  }

  /** The lines of a run; undefined if that run does not exist. */
  read({ previous, tailLines, since = 0, timestamps }: LogQuery): string | undefined {
    const lines = (previous ? this.#ended : this.#run)?.filter(
      ({ time }) => Date.parse(time) >= since,
    );
    const wanted =
      tailLines === undefined ? lines : lines?.slice(Math.max(lines.length - tailLines, 0));
    return wanted?.map((line) => textOf(line, timestamps)).join('');
  }

  /** Passes on each further line of the run, and in the end undefined. @returns what ends that */
  follow(timestamps: boolean, onText: (text: string | undefined) => void): () => void {
    const follower = (line: Line | undefined) => onText(line && textOf(line, timestamps));
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  end(): void {
    this.#tell(undefined);
    this.#file.end();
  }

  #tell(line: Line | undefined): void {
    for (const follower of this.#followers) follower(line);
  }
}

const textOf = ({ time, text }: Line, timestamps: boolean): string =>
  `${timestamps ? `${time} ` : ''}${text}\n`;
