/** Camera step: the service says what to do and in which order, judges the frames, and compares the face. */

import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, Busy, ErrorBox, Heading, useTexts } from "../common/page";
import type { Problem } from "../common/http";
import { pause } from "../common/http";
import type { faceCheck, Prompt } from "./api";
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
  const [prompt, setPrompt] = useState<Prompt | null>(null);
  const video = useRef<HTMLVideoElement>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const run = async () => {
    const abort = new AbortController();
    stop.current = abort;
    let stream: MediaStream | null = null;
    let frames: Frames | null = null;
    setProblem(null);
    setPrompt(null);
    setState("opening");
    try {
      stream = await openCamera();
      if (abort.signal.aborted) return;
      video.current!.srcObject = stream;
      await video.current!.play();
      await pause(SETTLE_SECONDS);
      const challenge = await check.challenge();
      setPrompt(challenge);
      setState("asking");
      frames = new Frames(video.current!, challenge.frames_per_second);
      const passed = await sendFrames(frames, check.frames, setPrompt, abort.signal);
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

  const action = state === "asking" ? prompt?.next_action : null;
  const current = action && action !== "look-ahead" ? action : null;
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
      <p class="prompt" role="status" aria-live="assertive" data-action={current ?? undefined}>
        {isOpen && !current && t("liveness-wait")}
        {current && (
          <>
            <span class="arrow" aria-hidden="true">
              {ARROWS[current]}
            </span>
            {t(`action-${current}`)}
          </>
        )}
      </p>
      {current && prompt && (
        <p class="countdown">
          <Countdown key={prompt.step} seconds={prompt.actions[0]?.seconds ?? 0} />
          {" · "}
          {t("liveness-progress", { done: prompt.step + 1, all: prompt.steps })}
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

function Countdown({ seconds }: { seconds: number }) {
  const { t } = useTexts();
  const [left, setLeft] = useState(Math.ceil(seconds));
  useEffect(() => {
    // Each answer of the service says anew what is left.
    const end = Date.now() + seconds * 1000;
    const timer = setInterval(() => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000))), 250);
    return () => clearInterval(timer);
  }, [seconds]);
  return <span>{t("seconds-left", { seconds: left })}</span>;
}
