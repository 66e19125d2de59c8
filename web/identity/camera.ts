/** The camera as a source of JPEG frames. Nothing is recorded; a frame exists until it was sent. */

import { pause, Problem } from "../common/http";
import type { Prompt } from "./api";

/** Enough for landmarks, and below the service's limit for a frame. */
const WIDTH = 480;
const QUALITY = 0.85;
/** Frames in one call, and frames that may wait; where the network is slower, every second one is left out. */
const MOST_SENT = 8;
const MOST_WAITING = 16;

export async function openCamera(): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) throw new Problem("camera-missing");
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } },
    });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    throw new Problem(name === "NotAllowedError" || name === "SecurityError" ? "camera-refused" : "camera-missing");
  }
}

export function closeCamera(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

export interface Numbered {
  sequence: number;
  frame: Uint8Array;
}

/** Takes frames off a playing video at an even rate. */
export class Frames {
  readonly #video: HTMLVideoElement;
  readonly #canvas = document.createElement("canvas");
  readonly #timer: number;
  #waiting: Numbered[] = [];
  #next = 0;
  #busy = false;

  constructor(video: HTMLVideoElement, perSecond: number) {
    this.#video = video;
    this.#timer = window.setInterval(() => void this.#take(), 1000 / perSecond);
  }

  async #take(): Promise<void> {
    const { videoWidth, videoHeight } = this.#video;
    if (this.#busy || !videoWidth) return;
    this.#busy = true;
    this.#canvas.width = Math.min(WIDTH, videoWidth);
    this.#canvas.height = Math.round((this.#canvas.width * videoHeight) / videoWidth);
    this.#canvas.getContext("2d")?.drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", QUALITY));
    if (blob) this.#waiting.push({ sequence: this.#next++, frame: new Uint8Array(await blob.arrayBuffer()) });
    if (this.#waiting.length > MOST_WAITING) this.#waiting = this.#waiting.filter((_, i) => i % 2 === 0);
    this.#busy = false;
  }

  /** The oldest frames that wait, in order; empty where there are none yet. */
  take(): Numbered[] {
    return this.#waiting.splice(0, MOST_SENT);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#waiting = [];
    this.#canvas.width = 0;
  }
}

/** Calls in a row that may fail for a transient reason; their frames are lost, and later ones tell as much. */
const MOST_LOST = 4;

/** Send frames until the service has seen enough. Throws its Problem, and stops quietly when `signal` says so. */
export async function sendFrames(
  frames: Frames,
  send: (sequence: number, frames: Uint8Array[]) => Promise<Prompt>,
  onPrompt: (prompt: Prompt) => void,
  signal: AbortSignal,
): Promise<boolean> {
  let lost = 0;
  while (!signal.aborted) {
    const batch = frames.take();
    const first = batch[0];
    if (!first) {
      await pause(0.03);
      continue;
    }
    try {
      const prompt = await send(
        first.sequence,
        batch.map(({ frame }) => frame),
      );
      lost = 0;
      onPrompt(prompt);
      if (prompt.state === "passed") return true;
    } catch (error) {
      if (!(error instanceof Problem) || !error.isTransient || ++lost > MOST_LOST) throw error;
      await pause(Math.min(error.retryAfter ?? 0.3, 1));
    }
  }
  return false;
}
