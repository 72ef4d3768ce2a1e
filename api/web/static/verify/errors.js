// Two ways in which a check ends early.

/** A step looked at its part of the proof and found it wrong: the verdict is `invalid`. */
export class CheckFailed extends Error {
  constructor(reason) {
    super(reason);
    this.name = "CheckFailed";
  }
}

/** The check could not be made on this device: the verdict is `not-checked`. */
export class CheckImpossible extends Error {
  constructor(reason) {
    super(reason);
    this.name = "CheckImpossible";
  }
}
