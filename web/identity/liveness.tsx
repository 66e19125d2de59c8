/** Camera step: the service says what to do and in which order, judges the frames, and compares the face. */

import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, Busy, ErrorBox, Heading, useTexts } from "../common/page";
import type { Problem } from "../common/http";
import { pause } from "../common/http";
import type { Challenge, faceCheck, Judged } from "./api";
import { closeCamera, Frames, openCamera, sendFrames } from "./camera";

const ARROWS = { "turn-left": "←", "turn-right": "→", blink: "◡" } as const;
/** Time to look into the camera before the first action is asked. */
const SETTLE_SECONDS = 1.5;

interface Props {
  check: ReturnType<typeof faceCheck>;
  /** Whether the face is compared in this step as well. */
  match: boolean;
  onPassed(): void;
}

type State = "ready" | "opening" | "asking" | "checking";

export function Liveness({ check, match, onPassed }: Props) {
  const { t } = useTexts();
  const [state, setState] = useState<State>("ready");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [challenge, setChallenge] = useState<Challenge | null>(null);
  const [asked, setAsked] = useState<Asked>(START);
  const video = useRef<HTMLVideoElement>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const run = async () => {
    const abort = new AbortController();
    stop.current = abort;
    let stream: MediaStream | null = null;
    let frames: Frames | null = null;
    setProblem(null);
    setChallenge(null);
    setAsked(START);
    setState("opening");
    try {
      stream = await openCamera();
      if (abort.signal.aborted) return;
      video.current!.srcObject = stream;
      await video.current!.play();
      await pause(SETTLE_SECONDS);
      const posed = await check.challenge();
      setChallenge(posed);
      setState("asking");
      frames = new Frames(video.current!, posed.frames_per_second);
      let now = START;
      const passed = await sendFrames(
        frames,
        check.frames,
        (judged) => setAsked((now = after(posed, now, judged))),
        abort.signal,
      );
      if (!passed) return;
      frames.stop();
      closeCamera(stream);
      setState("checking");
      if (match) await check.match();
      onPassed();
    } catch (error) {
      setProblem(asProblem(error));
      setState("ready");
    } finally {
      frames?.stop();
      closeCamera(stream);
    }
  };

  const current = state === "asking" && !asked.lookAhead ? challenge?.actions[asked.done] : undefined;
  const isOpen = state === "opening" || state === "asking";
  return (
    <>
      <Heading>{t("liveness-title")}</Heading>
      {state === "ready" && (
        <>
          <p>{t("liveness-text")}</p>
          <p>{t("liveness-tip")}</p>
          {problem && <ErrorBox problem={problem} />}
          <p>
            <button type="button" class="main" onClick={() => void run()}>
              {t(problem ? "retry" : "liveness-start")}
            </button>
          </p>
        </>
      )}
      {/* The live region exists before it speaks, or screen readers miss the first prompt. */}
      <p class="prompt" role="status" aria-live="assertive" data-action={current?.action}>
        {isOpen && !current && t("liveness-wait")}
        {current && (
          <>
            <span class="arrow" aria-hidden="true">
              {ARROWS[current.action]}
            </span>
            {t(`action-${current.action}`)}
          </>
        )}
      </p>
      {current && challenge && (
        <p class="countdown">
          <Countdown key={asked.done} seconds={current.seconds} />
          {" · "}
          {t("liveness-progress", { done: asked.done + 1, all: challenge.actions.length })}
        </p>
      )}
      <div class="camera" hidden={!isOpen}>
        <video ref={video} muted playsInline aria-label={t("liveness-preview")} />
        <div class="frame" aria-hidden="true" />
      </div>
      {state === "checking" && <Busy text={t("liveness-checking")} />}
    </>
  );
}

/** How many actions are done, and whether the service still waits for the person to look ahead. */
interface Asked {
  done: number;
  lookAhead: boolean;
}

const START: Asked = { done: 0, lookAhead: true };

function after(challenge: Challenge, before: Asked, judged: Judged): Asked {
  if (judged.state === "passed") return { done: challenge.actions.length, lookAhead: false };
  if (judged.next_action === "look-ahead") return START;
  if (judged.next_action === null) return before;
  const next = judged.step ?? challenge.actions.findIndex(({ action }, i) => i >= before.done && action === judged.next_action);
  return { done: next < 0 ? before.done : next, lookAhead: false };
}

function Countdown({ seconds }: { seconds: number }) {
  const { t } = useTexts();
  const [left, setLeft] = useState(Math.ceil(seconds));
  useEffect(() => {
    const end = Date.now() + seconds * 1000;
    const timer = setInterval(() => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000))), 250);
    return () => clearInterval(timer);
  }, [seconds]);
  return <span>{t("seconds-left", { seconds: left })}</span>;
}
