/**
 * Tells failures of this wait from those of before it. A pod that failed shows it until kubelet tries again, up to five
 * minutes later (kubernetes/kubernetes@v1.34.3:pkg/kubelet/kubelet.go, MaxImageBackOff, MaxCrashLoopBackOff): whatever is
 * mended meanwhile, it looks the same. So what was there at the first look counts once it has been tried again.
 */
export class Attempts {
  #looks = 0;
  /** What had failed when the wait began and has not been tried since, by key. */
  readonly #before = new Map<string, number>();
  /** Whether it was seen to pause between two attempts, by key. */
  readonly #paused = new Set<string>();
  #waiting = new Set<string>();

  /** Begins a look. */
  begin(): void {
    this.#looks += 1;
    this.#waiting = new Set();
  }

  /** Of an image: whether an attempt of this wait failed. `trying`: it says so itself, and not that it pauses. */
  hasPulled(key: string, pod: string, trying: boolean): boolean {
    const again = trying && this.#paused.has(key);
    if (!trying) this.#paused.add(key);
    return this.#hasTried(key, pod, { count: 0, again });
  }

  /** Of a container that ended: whether it did so in this wait. `count` is how often it was started again. */
  hasEnded(key: string, pod: string, count: number): boolean {
    return this.#hasTried(key, pod, { count, again: count > (this.#before.get(key) ?? count) });
  }

  /** Pods that wait to be tried again, in the last look; `namespace/name`. */
  get waiting(): readonly string[] {
    return [...this.#waiting];
  }

  #hasTried(key: string, pod: string, now: { readonly count: number; readonly again: boolean }) {
    if (this.#looks === 1) this.#before.set(key, now.count);
    else if (now.again) this.#before.delete(key);
    const tried = !this.#before.has(key);
    if (!tried) this.#waiting.add(pod);
    return tried;
  }
}
