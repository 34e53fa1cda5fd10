"""Who may see what: the sharing matrix in Cedar, compiled to masks.

`matrix.cedar` and `matrix.cedarschema` are the rules; `purposes` and `facts` are the words a request is made of;
`compile` answers with masks, `matrix` prints the cells, `check` finds what can't be right. No person, no state.
"""
