/** Numbers for sockets that belong to one user at a time: given back, they serve the next one, so that sockets do not pile up. */
export class Lanes {
  readonly #free: number[] = [];
  #made = 0;

  take(): number {
    return this.#free.pop() ?? this.#made++;
  }

  give(lane: number): void {
    this.#free.push(lane);
  }
}
