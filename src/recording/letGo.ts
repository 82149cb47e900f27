/** Why a recording's waits end when it was told to stop or to let go, and no failure says more. */
export const letGo = new Error('the recorder was told to let go');
