"""Environments and groups of people, by the words of three languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from neural_hive.understanding.entities.amounts import Amount

_ENVIRONMENT_WORDS: dict[str, str] = {
    "production": r"producao|produccion|production|prod|prd|produtivo|ambiente real|em vivo|live environment",
    "staging": r"homologacao|homolog|hml|hmg|staging|stage environment|pre-?producao|pre-?produccion|pre-?production"
    r"|preprod|uat|aceitacao|preproduccion|qualidade",
    "test": r"teste|testes|test|testing|tests|pruebas|qa|qas|tst|sandbox",
    "development": r"desenvolvimento|desarrollo|development|dev|local",
}
#: Words so sure that nothing need announce them.
_SURE = {
    "prod",
    "prd",
    "hml",
    "hmg",
    "staging",
    "homologacao",
    "homolog",
    "uat",
    "qa",
    "preprod",
    "preproducao",
    "preproduccion",
    "pre-producao",
    "pre-produccion",
    "pre-production",
    "dev",
    "sandbox",
    "producao",
    "produccion",
    "production",
}
_ENVIRONMENT = re.compile(
    r"(?<![^\W_])(?P<cue>(?:(?:n?o|do|ao|el|del|the|n?os|um|este|this)\s)?(?:ambientes?|entornos?|environments?"
    r"|servidores?|servers?|bancos?|base|bd|cluster)\s(?:d[eo]\s|of\s)?)?"
    + r"(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _ENVIRONMENT_WORDS.items()) + r")"
    + r"(?P<after>\s(?:environments?|env|servers?|database|db|cluster))?(?![^\W_])"
)  # fmt: skip
_IN = re.compile(r"(?<![^\W_])(?:em|en|in|para|to|from|no|do|on|into)\s$")
_NOT_ENVIRONMENT = re.compile(
    r"(?<![^\W_])(?:linha de|linea de|ordem de|ordens de|orden de|custo de|coste de|chao de|line|chain|meios de"
    r"|capacidade de|capacidad de)\s$"
)

_GROUP_WORDS: dict[str, str] = {
    "customers": r"clientes|customers|clients|consumidores|consumers|compradores|shoppers",
    "users": r"utilizadores|usuarios|users",
    "employees": r"funcionarios|funcionarias|colaboradores|empregados|trabalhadores|empleados|trabajadores|employees"
    r"|staff|workers",
    "suppliers": r"fornecedores|proveedores|suppliers|vendors",
    "patients": r"pacientes|utentes|patients",
    "students": r"alunos|alunas|estudantes|alumnos|alumnas|estudiantes|students|learners",
    "teachers": r"professores|docentes|profesores|teachers|instructors",
    "partners": r"parceiros|socios|partners|revendedores|resellers|distribuidores",
    "administrators": r"administradores|admins|administrators|sysadmins",
    "managers": r"gestores|gerentes|managers|diretores|directores|chefias|coordenadores",
    "developers": r"desenvolvedores|programadores|devs|developers|desarrolladores|engenheiros|engineers|ingenieros",
    "operators": r"operadores|atendentes|agentes|operators|agents",
    "salespeople": r"vendedores|comerciais|salespeople|comerciales|representantes",
    "clinicians": r"medicos|medicas|enfermeiros|enfermeiras|doctors|nurses|clinicians|enfermeros|enfermeras",
    "contractors": r"terceirizados|prestadores|contractors|freelancers|subcontratados|contratistas|estagiarios"
    r"|interns|becarios|pasantes",
    "subscribers": r"assinantes|subscribers|suscriptores|subscritores|membros|miembros|members|afiliados|segurados"
    r"|beneficiarios|asegurados",
    "citizens": r"cidadaos|ciudadanos|citizens|contribuintes|contribuyentes|taxpayers|municipes|moradores|residents",
    "minors": r"criancas|menores|adolescentes|children|minors|kids|ninos",
    "visitors": r"visitantes|visitors|convidados|guests|invitados|hospedes|huespedes",
    "drivers": r"motoristas|condutores|drivers|conductores|entregadores|estafetas|repartidores|couriers",
}
_GROUPS: dict[str, str] = {word: name for name, words in _GROUP_WORDS.items() for word in words.split("|") if " " not in word}
_ENVIRONMENT_TRIGGERS = frozenset(word for words in _ENVIRONMENT_WORDS.values() for word in re.split(r"[|\s?-]+", words))


def environments(plain: str, words: AbstractSet[str]) -> Iterator[Amount]:
    """Environments as production, staging, test or development."""
    for match in _ENVIRONMENT.finditer(plain) if not words.isdisjoint(_ENVIRONMENT_TRIGGERS) else ():
        name = next(name for name in _ENVIRONMENT_WORDS if match[name])
        word = match[name]
        is_announced = bool(match["cue"] or match["after"]) or bool(_IN.search(plain, max(0, match.start() - 6), match.start()))
        if _NOT_ENVIRONMENT.search(plain, max(0, match.start() - 16), match.start()):
            continue
        if word in _SURE or is_announced:
            start, end = (match.start(), match.end()) if match["cue"] or match["after"] else match.span(name)
            yield Amount("environment", name, start, end, 0.95 if word in _SURE and is_announced else 0.8)


def user_groups(tokens: Sequence[tuple[int, int, str]]) -> Iterator[Amount]:
    """Groups of people, in English: customers, users, employees… `tokens`: start, end and folded word."""
    for start, end, word in tokens:
        name = _GROUPS.get(word)
        if name:
            yield Amount("user_group", name, start, end, 0.85)
