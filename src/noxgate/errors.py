"""The errors of the engine, all of one root, and the exit statuses of its commands.

The text of each error is one line: expected, seen, what to do.

NoxgateError
    OneLineError            ends a command as wrong usage, Exit.USAGE
        CommandError
        CheckError
        ProjectError
        RunbookError
    AttestationError        these end a command in the same way: its module lists them
    LoadError
    NoResultError
    PersonError
    ProfileError
    RampError
    RecordError
    ReportError
    SignOffError
    SigningError
    VerifyError
    WaiverError
    WindowError
    UnreachableError        nothing is known of the target: the line is `unreachable`
        CredentialError     a credential of ours does not hold: users would not see what it meets
        NoDataError
        RightError          a right in the cluster is missing
    NotMadeError            what the line judges was not made yet: it is `not run`
    UndecidedError          what was seen is too near the limit to decide: the line is `undecided`
    NotCountedError         there is nothing to compare with, by record and profile: `not counted`
    FactsError              an AssertionError, too: the release is wrong, the line is `failed`
    ManifestError           an AssertionError, too
    YamlError               a text that kubectl refuses to read
    RefusedError            an AssertionError, too
    LostError               an AssertionError, too: a scrape would lose all of a text
    TakenError              an AssertionError, too: no dry run shows it
    UnnamedError            an AssertionError, too: kubectl refuses it before the API server is asked
    CommitError             no commit can be named for what is here
    InstallError            a lock file could not be installed
    ProgramError            a program could not be run to its end
        StartError
    ResultsError            results.json is not what a run writes
    ResultError             the file of a load test is not what one writes
    NotSwitchedError        traffic was not switched yet
    NotWholeError           a scanner's report is cut

Those of the rehearsal's commands are OneLineErrors, too. Apart from the tree is what never reaches a user of
the gate: the errors of the doctor, which runs before there is a package; what tells the load engine that a
request has ended; and the errors of what the rehearsal puts in the place of a release, which must not know
the gate: the reference API and the stand-in of Kubernetes.
"""

from enum import IntEnum


class Exit(IntEnum):
    """With what a command ends. The second names are for commands that come to no verdict."""

    GO = DONE = 0
    NO_GO = REFUSED = 1
    INCONCLUSIVE = 2
    USAGE = 4


class NoxgateError(Exception):
    """The root."""


class OneLineError(NoxgateError):
    """What ends a command as wrong usage; its text is the one line that is shown."""


class CommandError(OneLineError):
    """A command was used wrongly: one line saying what was expected, what was seen, what to do."""


class ProfileError(NoxgateError):
    """A profile cannot be used: one line saying what was expected, what was seen, what to do."""


class NotMadeError(NoxgateError):
    """What a line judges was not made yet, such as a load test: what is missing, and what makes it."""


class NotCountedError(NoxgateError):
    """An optional line has nothing to judge, by the record or the profile. One line."""


class UndecidedError(NoxgateError):
    """It was looked at, and is too near the limit to decide: of an SLO, or of a comparison. One line."""


class UnreachableError(NoxgateError):
    """We could not look: nothing is known about the target, good or bad. One line."""


class CredentialError(UnreachableError):
    """A credential of ours does not hold, or no longer: the release is not the cause of what it meets."""
