title = Voter identification
home-title = Confirm who you are
home-text = To vote from abroad, or far from your registered address, you first confirm who you are.
home-enrol = Enrol for the first time
home-enrol-text = You need your passport or ID card, and a camera. It takes about five minutes.
home-sign-in = Sign in with your passkey
home-sign-in-text = If you have enrolled before.
continue-to = You are signing in to “{ $client }”.

steps-label = Steps
step-document = Document
step-liveness = Camera
step-face = Face
step-passkey = Passkey

document-title = Your document
pin = Personal number (PIN)
pin-hint = 14 digits, printed in your passport or ID card
mrz = Machine-readable lines of the document
mrz-hint = The three lines on the back of the ID card, or the two lines at the bottom of the passport. You can paste scanned text.
pin-wrong = A PIN has 14 digits.
mrz-wrong = The lines have the wrong length: three lines of 30 characters or two of 44 are needed.
document-send = Continue

liveness-title = Show your face
liveness-text = The camera opens. Place your face in the frame and do what the screen says. Pictures are not kept.
liveness-tip = Sit in the light, and take off your glasses.
liveness-start = Open the camera
liveness-preview = Picture of your camera
liveness-wait = Look straight into the camera
liveness-progress = { $done } / { $all }
seconds-left = { $seconds ->
    [one] { $seconds } second left
   *[other] { $seconds } seconds left
}
action-turn-left = Turn your head to your left
action-turn-right = Turn your head to your right
action-blink = Close and open your eyes
liveness-checking = Checking…
problem-camera-refused = The page was not allowed to use the camera.
problem-camera-refused-next = Allow the camera for this page in the browser's settings, and try again.
problem-camera-missing = No camera was found, or another program is using it.
problem-camera-missing-next = Close other programs, or use a phone with a camera.

other-way = Without a camera
other-way-text = If the camera does not recognise you, or there is none, two officers of a consulate confirm who you are.
consulate = Consulate
appointment-ask = Make an appointment
appointment-done = You have an appointment. Take your document and this number to the consulate: { $code }

passkey-title = Make a passkey
passkey-text = The passkey stays on this device and opens with your fingerprint, face or screen lock code. You sign in with it; there is no password.
passkey-create = Make the passkey
enrolled-title = You are enrolled
enrolled-text = You can now sign in with this passkey.

sign-in = Sign in
sign-in-title = Sign in with your passkey
sign-in-text = Confirm that it is you when the device asks.
sign-out = Sign out

account-title = My page
elections-title = Elections
elections-none = There is no election that you take part in at the moment.
roll-place = Place on the roll: { $position }, ballot: { $style }
make-voting-passkey = Make a voting passkey
make-voting-passkey-text = This passkey works on the voting site only. You confirm it with a code that the registrar sends you itself.
get-credential = Obtain the right to an online ballot
voting-passkey-state-none = No voting passkey
voting-passkey-state-pending = The voting passkey waits for confirmation
voting-passkey-state-logged = The voting passkey is logged
passkeys-title = My passkeys
passkey-added = added on { $date }
revoke = Revoke
revoke-passkey-ask = Revoke this passkey? You can no longer sign in with it.
templates-title = Template of my face
templates-text = To compare at sign-in, a numeric template of your face is kept, encrypted. Pictures are not kept.
revoke-templates = Delete the template
revoke-templates-ask = Delete the template? You may have to enrol again later.
templates-revoked = The template was deleted.
notices-title = Notices
notices-none = No notices.
yes = Yes
no = No
notice-passkey-registered = A sign-in passkey was registered
notice-passkey-revoked = A sign-in passkey was revoked
notice-voting-passkey-code = A voting passkey was confirmed with a code
notice-voting-passkey-in-person = A voting passkey was registered in person
notice-templates-revoked = The template of the face was deleted
