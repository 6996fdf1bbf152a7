import { sh } from './disks.ts';

/** Makes a tree with every kind of member, name and attribute that a pod can copy. */
export function makeOddTree(directory: string): void {
  sh(
    `
    printf 'plain' > plain
    printf 'x' > "$(printf 'not utf-8 \\377\\376')"
    printf 'x' > "$(printf 'line\\nbreak')"
    printf 'x' > '-C'
    printf 'x' > '--checkpoint-action=exec=false'
    printf 'x' > ' spaces and "quotes" * '
    mkdir -p deep/er/$(printf 'n%.0s' $(seq 200))/$(printf 'm%.0s' $(seq 200))
    printf 'x' > deep/er/$(printf 'n%.0s' $(seq 200))/file
    ln plain hard-link
    ln plain deep/hard-link
    ln -s /etc/passwd absolute-link
    ln -s ../../outside deep/link
    mkdir empty read-only .hidden
    printf 'x' > read-only/file
    chmod 4750 plain
    chmod 555 read-only
    chmod 2770 empty
    truncate -s 20M sparse
    printf 'middle' | dd of=sparse bs=1M seek=10 conv=notrunc status=none
    touch -d '2001-02-03T04:05:06.789Z' deep/er
    mkfifo fifo
    setfattr -n user.colour -v blue plain 2>/dev/null || true
    `,
    directory,
  );
}

/** Everything about the members of a tree that a clone keeps, as text. */
export function describeTree(directory: string): string {
  return sh(
    `find . ! -path './lost+found*' ! -path . -printf '%P\\0%y %m %s %n %b %T@ %l\\0' | LC_ALL=C sort -z | od -c -w256 -An
     find . -type f ! -path './lost+found*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
     getfattr -R -d . 2>/dev/null || true`,
    directory,
  );
}
