"""In person: two officers confirm with their own passkeys what a citizen does at their desk."""
