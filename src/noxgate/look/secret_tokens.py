"""Tokens that their makers have marked, so that a leaked one is known at sight: name, piece, form.

The piece is in lower case and in every such token: a text without it need not be searched. What is public by
intent (publishable keys, ids of clients) is not here.
"""

from noxgate.look.secret_names import START
from noxgate.look.secret_search import Form, hints, whole

_TOKENS = (
    ("an AWS access key", "akia asia abia acca", r"A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}"),
    ("an Alibaba or Tencent key", "ltai akid", r"(?:LTAI|AKID)[A-Za-z0-9]{12,}"),
    ("an Anthropic or OpenAI key", "sk-", r"sk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}"),
    ("a 1Password token", "ops_eyj", r"ops_eyJ[\w-]{20,}"),
    ("an Artifactory token", "akc cmvmdgtu", r"(?:AKC[A-Za-z0-9]{20,}|cmVmdGtu[A-Za-z0-9]{40,})"),
    ("an Atlassian token", "atatt3 atctt3", r"AT[AC]TT3[\w=-]{20,}"),
    ("an Azure secret", "8q~", r"[\w.~-]{3}8Q~[\w.~-]{31,}"),
    ("a Cargo token", "cio", r"cio[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    ("a Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    ("a DigitalOcean token", "_v1_", r"do[opr]_v1_[0-9a-f]{40,}"),
    ("a Docker token", "dckr_", r"dckr_[a-z]+_[\w-]{20,}"),
    ("a Doppler token", "dp.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.]{20,}"),
    ("a Dynatrace token", "dt0", r"dt0[a-z]\d\d\.[A-Z0-9]{20,}\.[A-Z0-9]{40,}"),
    ("a Facebook token", "eaac", r"EAAC[A-Za-z0-9]{30,}"),
    ("a Figma token", "figd_", r"figd_[\w-]{30,}"),
    ("a Fly token", "fo1_ fm1 fm2_", r"(?:fo1|fm[12]r?)_[\w+/=-]{30,}"),
    ("a GitHub token", "gh", r"gh[pousr]_[A-Za-z0-9]{20,}"),
    ("a GitHub token", "github_pat_", r"github_pat_\w{20,}"),
    ("a GitLab token", "gl", r"gl(?:pat|dt|rt|ptt|ft|soat|cbt|imt|agent|oas|ffct)-[\w.-]{20,}"),
    ("a Google key", "aiza", r"AIza[\w-]{30,}"),
    ("a Google token", "ya29.", r"ya29\.[\w.-]{10,}"),
    ("a Google secret", "gocspx-", r"GOCSPX-[\w-]{20,}"),
    ("a Google token", "1//0", r"1//0[\w-]{20,}"),
    ("a Google code", "4/0", r"4/0A[\w-]{20,}"),
    ("a Grafana token", "glsa_ glc_", r"gl(?:sa|c)_[\w+/=]{20,}"),
    ("a Heroku key", "hrku-", r"HRKU-[\w-]{30,}"),
    ("a Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{30,}"),
    ("an Infisical token", "st.", r"st\.[0-9a-f]{24}\.[0-9a-f]{32}(?:\.[0-9a-f]{32})?"),
    ("a LaunchDarkly key", "sdk- mob-", r"(?:sdk|mob)-[0-9a-f]{8}-[0-9a-f-]{27}"),
    ("a Linear key", "lin_", r"lin_(?:api|oauth)_[A-Za-z0-9]{30,}"),
    ("a Mailchimp key", "-us", r"[0-9a-f]{32}-us\d{1,2}(?!\w)"),
    ("a Mailgun key", "key-", r"key-[0-9a-z]{32}(?!\w)"),
    ("a Netlify token", "nfp_", r"nfp_[A-Za-z0-9]{30,}"),
    ("a New Relic key", "nrak nrii nraa nrjs", r"NR(?:AK|II|AA|JS)-[\w-]{20,}"),
    ("a Notion token", "ntn_", r"ntn_[A-Za-z0-9]{40,}"),
    ("an npm token", "npm_", r"npm_[A-Za-z0-9]{30,}"),
    ("a PlanetScale token", "pscale_", r"pscale_[a-z]+_[\w=.-]{20,}"),
    ("a Postman key", "pmak-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    ("a Pulumi token", "pul-", r"pul-[0-9a-f]{40}"),
    ("a PyPI token", "pypi-age", r"pypi-AgE[\w-]{20,}"),
    ("a RubyGems key", "rubygems_", r"rubygems_[0-9a-f]{40,}"),
    ("a SendGrid key", "sg.", r"SG\.[\w-]{16,}\.[\w-]{16,}"),
    ("a Sentry token", "sntry", r"sntry[a-z]_[\w+/=-]{20,}"),
    ("a Shopify token", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("a Slack token", "xox xapp-", r"(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,}"),
    ("a Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/[a-z]+/(?P<value>[\w/+-]{16,})"),
    ("a Discord webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d+/(?P<value>[\w-]+)"),
    ("a Teams webhook", "webhook.office.com", r"webhook\.office\.com/(?P<value>[\w/@-]{16,})"),
    ("a Square token", "sq0 eaaa", r"(?:sq0[a-z]{3}-[\w-]{20,}|EAAA[\w-]{60})"),
    ("a Stripe key", "k_live_ k_test_", r"[sr]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    ("a Stripe secret", "whsec_", r"whsec_[A-Za-z0-9+/=]{16,}"),
    ("a Supabase key", "sbp_ sb_secret_", r"sb(?:p_[0-9a-f]{40}|_secret_[\w-]{20,})"),
    ("a Telegram token", ":aa", r"(?:bot)?\d{8,10}:AA[\w-]{33}"),
    ("a Terraform token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{40,}"),
    ("a Twilio key", "sk ac", r"(?:SK|AC)[0-9a-f]{32}(?![0-9a-f])"),
    ("a Vault token", "hv", r"hv[sbr]\.[\w-]{20,}"),
    ("an age key", "age-secret-key-", r"AGE-SECRET-KEY-1[0-9A-Z]+"),
    ("a private key in base64", "ls0tls1crudjti", r"LS0tLS1CRUdJTiB(?!DRVJU|QVUJMSU|YNTA5)[\w+/=]+"),
    ("a JSON Web Token", "eyj", r"eyJ[\w-]{10,}\.[\w.-]*"),
    (
        "a JSON Web Token",  # cut in its header: {"alg": and its like
        "eyj eyaiywxn",
        r"ey(?:J(?:hbGciOi|0eXAiOi|raWQiOi|qa3UiOi|4NXQ|lbmMi)|AiYWxnI)[\w.-]*",
    ),
    ("a password's hash", "$", r"\$(?:2[abxy]?|5|6|y|apr1|argon2\w*|scrypt)\$[\w./$=,+-]{20,}"),
    ("a password's hash", "scram-sha- pbkdf2_", r"(?:SCRAM-SHA-\d+\$|pbkdf2_sha\d+\$)[\w./$=:+-]{16,}"),
    ("a password's hash", "md5", r"md5[0-9a-f]{32}(?![0-9a-f])"),
)
_LEADS = {
    "8q~": 3,
    "_v1_": 3,
    "-us": 32,
    "/api/webhooks/": 14,
    "k_live_ k_test_": 1,
    ":aa": 13,
    ".atlasv1.": 14,
}

TOKENS = tuple(
    Form(name, hints(piece, _LEADS.get(piece, 0)), START + pattern, whole, flags=0)
    for name, piece, pattern in _TOKENS
)
