"""Words that make up names of people or announce them: the lists of names.txt, and titles, roles and particles."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

SURE, GIVEN, GIVEN_WEAK, SURNAME, SURNAME_WEAK = 1, 2, 4, 8, 16
TITLE, ROLE, PHRASE, PARTICLE, STOP, HEAD, SAINT = 32, 64, 128, 256, 512, 1024, 2048
GIVEN_RARE, SURNAME_RARE, SHORT_TITLE, NAMED, CAPITALS = 4096, 8192, 16384, 32768, 65536
ADDRESSED = 131072
ANY_GIVEN = SURE | GIVEN | GIVEN_WEAK
ANY_SURNAME = SURNAME | SURNAME_WEAK
FIRM = SURE | GIVEN | SURNAME
ANY_NAME = ANY_GIVEN | ANY_SURNAME
ANY_LISTED = ANY_NAME | GIVEN_RARE | SURNAME_RARE
_SECTIONS = {
    "given-sure": SURE,
    "given": GIVEN,
    "given-weak": GIVEN_WEAK,
    "given-rare": GIVEN_RARE,
    "surname": SURNAME,
    "surname-weak": SURNAME_WEAK,
    "surname-rare": SURNAME_RARE,
}

#: Words with a part to play; lower case, accents removed.
_WORDS: dict[int, str] = {
    TITLE: "sr sra srta sres dr dra dona dna mr mrs miss senhor senhora senhorita senor senora senorita doutor "
    "doutora doctora prof profa frei",
    # Titles that are also other words: they count before a listed name, or with a full stop ("Ms. Brown", but "200
    # ms SLA").
    SHORT_TITLE: "don ms mx ing lic engo eng pe min des dep gov exmo rel doctor engenheiro engenheira",
    ROLE: (
        "cliente paciente funcionario funcionaria colaborador colaboradora empregado empregada usuario usuaria "
        "utilizador utilizadora aluno aluna estudante titular segurado segurada"
        " beneficiario beneficiaria requerente solicitante responsavel gerente colega chefe analista desenvolvedor "
        "desenvolvedora programador vendedor vendedora motorista advogado advogada"
        " medico medica enfermeira enfermeiro professor professora secretaria estagiario estagiaria mae pai filho "
        "filha esposa marido irmao irma empleado empleada trabajador trabajadora alumno"
        " alumna jefe jefa companero companera abogado abogada estudiante madre padre hijo hija esposo hermano "
        "hermana user employee customer patient student client manager boss colleague"
        " coworker teacher lawyer nurse tenant holder applicant candidate candidato candidata morador moradora "
        "hospede socio socia diretor diretora director directora presidente ministro"
        " ministra deputado deputada senador senadora desembargador desembargadora juiz juiza relator relatora autor "
        "autora reu apelante apelado agravante agravado impetrante testemunha"
        " recorrente recorrido reclamante reclamada procurador procuradora delegado delegada perito perita prefeito "
        "prefeita governador president minister senator uncle aunt tio tia"
        " amigo amiga friend brother sister mother father wife husband son daughter"
    ),
    PARTICLE: "de da do das dos e del la las los y van von der di du d",
    HEAD: (
        "rua avenida av praca travessa alameda calle plaza street avenue road banco bank grupo group empresa company "
        "hospital clinica escola colegio universidade universidad university"
        " faculdade instituto institute fundacao fundacion foundation aeroporto aeropuerto airport estadio cidade "
        "ciudad city municipio estado state provincia bairro barrio distrito"
        " projeto project proyecto sistema system plataforma platform servico servicio service servidor server "
        "modulo module biblioteca library framework ferramenta tool loja tienda store"
        " serra monte mount rio lago ilha isla island vila villa porto puerto port cabo lei ley act teorema "
        "algoritmo algorithm metodo method indice premio prize copa"
    ),
    SAINT: "sao san santo santa saint st",
    STOP: (
        "o a os as um uma the an el la los las un una lo em no na nos nas ao aos por para pelo pela com sem que se "
        "ou and or but for with without from to in on at by of is are was este esta isto"
        " this that these those esse essa isso aquele y en con sin pero como mas nao no not yes sim si ja ainda when "
        "where quando onde cuando donde porque favor please obrigado gracias thanks"
        " hoje amanha ontem hoy manana ayer today tomorrow yesterday segunda terca quarta quinta sexta sabado "
        "domingo lunes martes miercoles jueves viernes monday tuesday wednesday thursday"
        " friday saturday sunday janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro "
        "dezembro enero febrero mayo junio septiembre octubre noviembre diciembre january"
        " february march april may june july august september october november december bom boa bien good ola hola "
        "hello hi dear caro cara prezado prezada estimado estimada oi"
        " preciso quero queremos favor gostaria necesito quiero need want would delete remove create update apague "
        "remova crie exclua delete ask tell call email send envie mande diga avise"
        " premium gold final admin root guest api id vip enterprise business pro plus"
        " tribunal justica turma camara ministerio juizado vara comarca constituicao codigo federal estadual "
        "municipal nacional supremo superior publico civil penal processo artigo"
        " i'm i'll i'd i've it's don't can't we're you're"
        " todos todas todo toda all every each cada qualquer cualquier any nenhum ninguno none"
        " igreja church partido party clube club time team equipe equipa equipo campeonato liga league guerra war "
        "imperio reino kingdom republica republic"
    ),
}
PHRASE_ENDS: dict[str, frozenset[str]] = {
    "e": frozenset({"nome"}), "es": frozenset({"nombre"}), "is": frozenset({"name"}), "chamo": frozenset({"me"}),
    "me": frozenset({"chamo", "llamo"}),
    "llamo": frozenset({"me"}), "am": frozenset({"i"}), "of": frozenset({"behalf"}), "to": frozenset({"assigned"}),
}  # fmt: skip
PHRASE_WORDS = frozenset(
    {
        "soy",
        "sou",
        "i'm",
        "nome",
        "nombre",
        "name",
        "assinado",
        "atenciosamente",
        "att",
        "abs",
        "abracos",
        "regards",
        "saludos",
        "cumprimentos",
    }
)
#: English words before somebody's name in lower case ("tell sam", "meet with clara"); in pt and es such words
#: precede too much else.
ADDRESSING = frozenset({"with", "from", "email", "call", "text", "tell", "ask", "meet", "phone", "ping", "message", "invite"})
NEEDS_COLON = frozenset({"nome", "nombre", "name"})
ARTICLES = frozenset({"o", "a", "el", "la", "the"})
TOKEN = re.compile(r"[^\W\d_]+(?:'(?!s\b)[^\W\d_]+)*")
_ACCENTS = str.maketrans("áàâãäåéèêëíìîïóòôõöúùûüçñý", "aaaaaaeeeeiiiiooooouuuucny")
VERB_ENDS = ("ar", "er", "ir", "ing", "ed", "ize", "ise", "emos", "amos", "ção", "ções")
#: Suffixes that end a name; in the lists they are words of their own too.
SUFFIXES = frozenset({"filho", "neto", "junior", "jr", "sobrinho", "sr"})
JOINTS = frozenset({" ", "  ", "-", ".", "_", "\n", "\u00a0"})


def folded(word: str) -> str:
    """Lower case without the accents of the three languages."""
    lowered = word.lower()
    return lowered if lowered.isascii() else lowered.translate(_ACCENTS)


@lru_cache(maxsize=1)
def lexicon() -> dict[str, int]:
    """Word → what it is; about 5,000 words, read once."""
    known: dict[str, int] = {}
    flag = 0
    for line in (resources.files(__package__) / "names.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            flag = _SECTIONS[line.strip("[]")]
        elif not line.startswith("#"):
            for word in line.split():
                known[word] = known.get(word, 0) | flag
    for part, words in _WORDS.items():
        for word in words.split():
            known[word] = known.get(word, 0) | part
    return known


@lru_cache(maxsize=1)
def not_names() -> dict[str, list[tuple[str, ...]]]:
    """First word → phrases that are places, companies or products."""
    phrases: dict[str, list[tuple[str, ...]]] = {}
    for line in (resources.files(__package__) / "not_names.txt").read_text(encoding="utf-8").splitlines():
        words = tuple(line.split())
        if words and not line.startswith("#"):
            phrases.setdefault(words[0], []).append(words)
    return phrases
