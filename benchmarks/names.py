"""Names of persons in sentences people write: how many masking leaves.

`python benchmarks/names.py` writes benchmarks/results/names.json; `--show` lists what is left. Sentences and names were made up for this
file: full names, first names only, lower case, capitals, names that are rare, names that are words. A name is left if any word of
it (but particles) is still in what comes out.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from neural_hive.understanding.privacy import Masker

RESULT = Path(__file__).parent / "results/names.json"
#: language | way of writing | sentence, names in [brackets].
SENTENCES = """
pt|full|Criar acesso ao ERP para [Fernanda Albuquerque], que entra na segunda
pt|full|O contrato de [José Carlos Meireles] vence em março, renovar?
pt|full|Reenviar a fatura de outubro a [Beatriz Nogueira Pacheco]
pt|full|Substituir [Rui Miguel Taveira] por [Ana Sofia Lourenço] na escala de domingo
pt|full|O chamado foi aberto por [Wellington Batista] às 9h
pt|full|Quem aprovou a compra foi [Teresa Vasconcelos], está no e-mail
pt|full|Atualizar o telefone da dona [Iracema Fontes] no cadastro
pt|full|Dr. [Henrique Salgueiro] não consegue assinar os laudos
pt|first|a [Juliana] do RH pediu pra liberar a pasta de férias
pt|first|Falem com o [Gonçalo] antes de mudar a impressora
pt|first|O [Cristiano] saiu de férias e ninguém tem a senha do painel
pt|first|Passa os chamados do [Everton] para a [Priscila]
pt|lower|cliente maria aparecida gomes quer cancelar o plano
pt|lower|bloqueia o acesso do joao paulo ferreira hoje
pt|lower|o ricardo mendes pediu reembolso de duas passagens
pt|lower|mandar o relatorio pra sandra oliveira ate sexta
pt|lower|apaga os dados da paciente luciana prado
pt|lower|o utente manuel figueiredo nao recebeu o sms
pt|capitals|COLABORADOR: ANTÔNIO SILVEIRA DUARTE - TROCAR DE SETOR
pt|capitals|Beneficiário MARIA DE FÁTIMA ROCHA sem carteirinha
pt|rare|Liberar o portal para [Jurandyr Zacchi]
pt|rare|O paciente [Thayrone Kessler] teve o exame trocado
pt|rare|Sr. [Baltazar Ximenes] reclama da segunda cobrança
pt|word|A [Rosa] da contabilidade não vê o botão de exportar
es|full|Dar de alta a [Gonzalo Arizmendi Prieto] en el CRM
es|full|La reserva de [Lucía Ferrándiz] aparece dos veces
es|full|Reasignar las tareas de [Íñigo Otxoa] a [Marta Casanovas]
es|full|El pedido lo firmó [Juan Pablo Quintero] el lunes
es|full|Enviar el contrato a [María Eugenia Rosales]
es|full|Quitar a [Sergio Villalba] de la lista de guardias
es|full|La doctora [Pilar Echeverría] no puede abrir las radiografías
es|full|Don [Eusebio Carmona] pide copia de su expediente
es|first|[Nacho] dice que el informe sale vacío desde ayer
es|first|Preguntadle a [Montse] si ya probó la copia
es|first|hay que pasarle la llave del almacén a [Ximena]
es|first|[Rocío] y [Álvaro] no reciben los avisos
es|lower|el cliente pedro antonio salazar quiere darse de baja
es|lower|borra la ficha de carmen ortega ruiz
es|lower|la paciente josefina del valle pide su historial
es|lower|mandale el presupuesto a javier montero
es|lower|el empleado hector dominguez no puede fichar
es|lower|a ines caballero le cobraron dos veces
es|capitals|TITULAR: FRANCISCO JAVIER LLORENTE - CAMBIO DE CUENTA
es|capitals|ALUMNA DOLORES IBÁÑEZ SIN MATRÍCULA
es|rare|Crear usuario para [Aingeru Zubizarreta]
es|rare|El socio [Wenceslao Pradillo] perdió la tarjeta
es|rare|Sra. [Itziar Goikoetxea] no encuentra su factura
es|word|[Consuelo] de caja no puede abrir el turno
en|full|Set up a laptop for [Hannah Lindqvist], she starts on Monday
en|full|The invoice for [Douglas Pemberton] went to the wrong address
en|full|Move the Tuesday shift from [Aisha Rahman] to [Callum Birch]
en|full|[Margaret O'Connell] asked for a copy of her data
en|full|Please revoke the VPN access of [Tobias Wexler]
en|full|Mr. [Oliver Hargreaves] cannot sign in on his tablet
en|full|Approved by [Priya Raman] on Friday
en|full|The complaint from Mrs. [Edith Farnsworth] is still open
en|first|[Gareth] says the export has been broken since noon
en|first|Ask [Naomi] whether the backup was restored
en|first|Could someone give [Declan] the warehouse code
en|first|[Bethany] and [Marcus] do not get the alerts
en|lower|customer sarah mcintyre wants to cancel her plan
en|lower|please block the account of jonathan price today
en|lower|the patient emily watkins got someone else's letter
en|lower|send the quote to brian kowalski
en|lower|employee rachel stein can't clock in
en|lower|refund david okafor for two tickets
en|capitals|EMPLOYEE: PATRICIA GALLAGHER - CHANGE OF DEPARTMENT
en|capitals|Policy holder STEPHEN MARLOWE without a card
en|rare|Create a user for [Oluwaseun Adeyinka]
en|rare|Member [Thaddeus Quillfeather] lost his card
en|rare|Ms. [Anneliese Vanderhoof] cannot find her invoice
en|word|[Grace] from the front desk cannot open the till
"""
#: In sentences without brackets: the names, in their order.
UNMARKED = """
maria aparecida gomes, joao paulo ferreira, ricardo mendes, sandra oliveira, luciana prado, manuel figueiredo, ANTÔNIO SILVEIRA DUARTE,
MARIA DE FÁTIMA ROCHA, pedro antonio salazar, carmen ortega ruiz, josefina del valle, javier montero, hector dominguez, ines caballero,
FRANCISCO JAVIER LLORENTE, DOLORES IBÁÑEZ, sarah mcintyre, jonathan price, emily watkins, brian kowalski, rachel stein, david okafor,
PATRICIA GALLAGHER, STEPHEN MARLOWE
"""
_PARTICLES = {"de", "del", "da", "do", "dos"}


def cases() -> list[tuple[str, str, str, list[str]]]:
    """Language, way of writing, sentence, names in it."""
    unmarked = [name.strip() for name in UNMARKED.replace("\n", " ").split(",")]
    found = []
    for line in SENTENCES.strip().splitlines():
        language, way, marked = line.split("|")
        names = re.findall(r"\[(.+?)\]", marked) or [name for name in unmarked if name in marked]
        if not names:
            raise ValueError(f"no name is marked in {marked!r}")
        found.append((language, way, marked.replace("[", "").replace("]", ""), names))
    return found


def is_left(name: str, masked: str) -> bool:
    """True if a word of the name is still there."""
    words = set(re.findall(r"\w+", masked.lower()))
    return any(word in words for word in re.findall(r"\w+", name.lower()) if word not in _PARTICLES)


def main() -> None:
    masker, judged = Masker(), []
    for language, way, text, names in cases():
        masked = masker.mask(text).text
        judged += [(language, way, name, masked, is_left(name, masked)) for name in names]
    if "--show" in sys.argv:
        for language, way, name, masked, left in judged:
            if left:
                print(language, way, name, "|", masked)
    rows = [row("person names left", "≤ 1 in 6", judged)]
    rows += [row(f"person names left, {lang}", "≤ 1 in 6", [j for j in judged if j[0] == lang]) for lang in ("pt", "es", "en")]
    ways = dict.fromkeys(j[1] for j in judged)
    rows += [row(f"person names left, {way}", "–", [j for j in judged if j[1] == way]) for way in ways]
    for found in rows:
        print(f"{found['measure']:32} {found['value']:.3f}  {found['split']}")
    RESULT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def row(measure: str, target: str, judged: list[tuple[str, str, str, str, bool]]) -> dict:
    """One row of the quality page: the share of names that is left."""
    n_left = sum(left for *_, left in judged)
    return {
        "measure": measure, "value": round(n_left / len(judged), 4), "target": target,
        "split": f"{n_left} of {len(judged)} names, made up for this", "measured": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip


if __name__ == "__main__":
    main()
