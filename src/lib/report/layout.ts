/** Longer names are cut: file systems take 255 bytes. */
const longest = 120;

/** A name as a part of a path: it comes from a cluster, and leads nowhere. */
function segment(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, longest);
  return plain === '' || plain.startsWith('.') ? `_${plain}` : plain;
}

/** The paths of an archive: no two files have the same one, whatever they are called. */
export class Layout {
  readonly #taken = new Set<string>();

  /** @param folders of names; @param extension as `.json` */
  file(names: readonly string[], extension: string): string {
    const plain = names.map(segment).join('/');
    for (let count = 1; ; count++) {
      const path = `${plain}${count === 1 ? '' : `-${count}`}${extension}`;
      // File systems that do not tell upper from lower case would lose one of two.
      const key = path.toLowerCase();
      if (this.#taken.has(key)) continue;
      this.#taken.add(key);
      return path;
    }
  }
}
