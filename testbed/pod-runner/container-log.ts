import { EventEmitter } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';

/** How many lines the kubelet keeps of one run. */
const kept = 5_000;

interface Line {
  time: string;
  text: string;
}

export interface LogQuery {
  previous: boolean;
  tailLines?: number;
  timestamps: boolean;
}

/** The output of a container: its latest and its previous run for the API server, all runs in a file for people. */
export class ContainerLog {
  readonly #file: WriteStream;
  readonly #lines = new EventEmitter().setMaxListeners(0);
  #run: Line[] | undefined;
  #ended: Line[] | undefined;

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
      const line = { time, text: part };
      this.#run?.push(line);
      if ((this.#run?.length ?? 0) > kept) this.#run?.shift();
      if (!this.#file.writableEnded) this.#file.write(`${time} ${part}\n`);
      this.#lines.emit('line', line);
    }
  }

  /** The lines of a run; undefined if that run does not exist. */
  read({ previous, tailLines, timestamps }: LogQuery): string | undefined {
    const lines = previous ? this.#ended : this.#run;
    const wanted = tailLines === undefined ? lines : lines?.slice(Math.max(lines.length - tailLines, 0));
    return wanted?.map((line) => format(line, timestamps)).join('');
  }

  /** Calls `onLine` for each new line until the signal. */
  follow(timestamps: boolean, onLine: (line: string) => void, signal: AbortSignal): void {
    const listener = (line: Line) => onLine(format(line, timestamps));
    this.#lines.on('line', listener);
    signal.addEventListener('abort', () => this.#lines.off('line', listener));
  }

  end(): void {
    this.#file.end();
    this.#lines.emit('end');
  }

  onEnd(listener: () => void): void {
    if (this.#file.writableEnded) listener();
    else this.#lines.once('end', listener);
  }
}

function format({ time, text }: Line, timestamps: boolean): string {
  return timestamps ? `${time} ${text}\n` : `${text}\n`;
}
